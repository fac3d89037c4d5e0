package replicate

// InOrder lets e apply the ops of a phase one after the other, so that its
// n-th effect is the same effect each time.
func InOrder(e *Engine) { e.ops = make(chan struct{}, 1) }

// Cramped gives e so few bytes to share that merges are folded in parts. What a part cannot do without it takes nevertheless.
func Cramped(e *Engine, bytes int64) { e.governor = newGovernor(baseBytes + bytes/3*4) }
