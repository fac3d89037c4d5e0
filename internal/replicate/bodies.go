package replicate

import (
	"context"
	"slices"
	"sync"

	"sluice/internal/object"
)

const (
	// smallInput is the size up to which an input is fetched by one request rather
	// than column by column: most change files are small, and a request costs more than its bytes.
	smallInput = 4 << 20

	bodiesBytes = 32 << 20 // of small inputs that are held at a time
)

// bodies are whole small objects that are read again and again, the latest ones. What a batch of more than that reads again is
// fetched again.
type bodies struct {
	mu   sync.Mutex
	held []body // as they came
	size int64
}

type body struct {
	key   string
	bytes []byte
}

// get returns a body that is held, or fetches it.
func (b *bodies) get(info object.Info, fetch func(into []byte) error) ([]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, one := range b.held {
		if one.key == info.Key {
			return one.bytes, nil
		}
	}
	for len(b.held) > 0 && b.size+info.Size > bodiesBytes {
		b.size -= int64(len(b.held[0].bytes))
		b.held = slices.Delete(b.held, 0, 1)
	}
	into := make([]byte, info.Size)
	if err := fetch(into); err != nil {
		return nil, err
	}
	b.held, b.size = append(b.held, body{info.Key, into}), b.size+info.Size
	return into, nil
}

// wholeSource is an object that is read from its body.
type wholeSource struct {
	source
	bodies *bodies
}

func (s *wholeSource) ReadRange(ctx context.Context, p []byte, off int64) error {
	b, err := s.bodies.get(s.info, func(into []byte) error { return s.source.ReadRange(ctx, into, 0) })
	if err != nil {
		return err
	}
	copy(p, b[off:])
	return nil
}
