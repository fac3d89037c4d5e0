package replicate

// InOrder lets e apply the ops of a phase one after the other, so that its
// n-th effect is the same effect each time.
func InOrder(e *Engine) { e.ops = make(chan struct{}, 1) }
