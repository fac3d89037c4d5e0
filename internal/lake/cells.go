package lake

// blockRows is how many values a block of cells holds.
const blockRows = 4096

// cells are the values of one column by slot. They lie in blocks, so that a
// fold that grows copies nothing and never holds a column twice.
type cells struct{ blocks [][]value }

func (c *cells) at(slot int32) value { return c.blocks[slot/blockRows][slot%blockRows] }

// set sets a slot that is there, or the one behind the last.
func (c *cells) set(slot int32, v value) {
	block, i := int(slot/blockRows), int(slot%blockRows)
	switch {
	case block == len(c.blocks) && block == 0:
		c.blocks = append(c.blocks, nil) // grows: most changes are few
	case block == len(c.blocks):
		c.blocks = append(c.blocks, make([]value, 0, blockRows))
	}
	if i == len(c.blocks[block]) {
		c.blocks[block] = append(c.blocks[block], v)
		return
	}
	c.blocks[block][i] = v
}
