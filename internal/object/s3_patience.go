package object

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	smithy "github.com/aws/smithy-go"
)

// Patience is how often and how long a client of S3 tries, in the one place where it does: the SDK's standard retryer
// (https://docs.aws.amazon.com/sdk-for-go/v2/developer-guide/configure-retries-timeouts.html). The pause before the
// n-th repetition is random between 0 and Pause·2ⁿ⁻¹, or SlowDown·2ⁿ⁻¹ when the store asked for less, and at most
// MaxPause. All requests of a client share Budget repetitions; one that helped is given back, and every request that
// was answered adds a fifth of one, so a store that stays away is given up soon and a store that stumbles is not.
type Patience struct {
	Attempts  int           // sendings of one request, and of one body that breaks while it is read
	Pause     time.Duration // ceiling of the first pause
	SlowDown  time.Duration // the same after SlowDown, 429 and 503
	MaxPause  time.Duration
	Dial      time.Duration // for a connection
	Silence   time.Duration // without a byte on a connection that is in use; a server-side copy of copyPartBytes must fit in
	Budget    uint          // repetitions
	SilentOut uint          // how many of them a time-out costs
}

// DefaultPatience returns what the commands use: a refused connection is given up after 3 s on average, at most 6.2; a
// store that throttles after 15 s on average, at most 31; one that is silent after ten time-outs in all.
func DefaultPatience() Patience {
	return Patience{
		Attempts: 6, Pause: 200 * time.Millisecond, SlowDown: time.Second, MaxPause: 20 * time.Second,
		Dial: 10 * time.Second, Silence: time.Minute, Budget: 100, SilentOut: 10,
	}
}

// retryer returns the SDK's standard retryer with nothing left to its defaults, which an environment variable changes.
// The SDK's own pauses are not random any more once they have reached the largest, and their first is up to two seconds.
func (p Patience) retryer() aws.Retryer {
	const cost = 5 // tokens, so that an answered request, which adds one, is a fraction of a repetition
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts, o.MaxBackoff = p.Attempts, p.MaxPause
		o.Backoff = retry.BackoffDelayerFunc(p.delay)
		o.RateLimiter = ratelimit.NewTokenRateLimit(cost * p.Budget)
		o.RetryCost, o.RetryTimeoutCost, o.ThrottlingRetryCost, o.NoRetryIncrement = cost, cost*p.SilentOut, cost, 1
		o.Retryables = append(o.Retryables, retry.IsErrorRetryableFunc(brokenAnswer))
	})
}

// delay is the pause before the repetition that follows the attempt.
func (p Patience) delay(attempt int, err error) (time.Duration, error) {
	ceiling := p.Pause
	if throttled(err) {
		ceiling = p.SlowDown
	}
	ceiling = min(ceiling<<min(max(attempt-1, 0), 16), p.MaxPause)
	return rand.N(max(ceiling, 1)), nil
}

// brokenAnswer says that an answer which ends in its middle is worth another request, and so is HEAD's 403 by a store
// whose clock differs: the SDK does not repeat them.
func brokenAnswer(err error) aws.Ternary {
	var broken *smithy.DeserializationError
	if errors.As(err, &broken) || clockDiffers(err) {
		return aws.TrueTernary
	}
	return aws.UnknownTernary
}

// throttled says whether the store asks for less. Answers to HEAD have the status only.
func throttled(err error) bool {
	if (retry.ThrottleErrorCode{Codes: retry.DefaultThrottleErrorCodes}).IsErrorThrottle(err).Bool() {
		return true
	}
	status := statusOf(err)
	return status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests
}

// transport has connections made that time out when nothing moves on them. The SDK's read timeout would not do: it
// runs while a request is being sent, and ends a slow upload.
func (p Patience) transport(t *http.Transport) {
	dialer := &net.Dialer{Timeout: p.Dial, KeepAlive: 30 * time.Second}
	t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dialer.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &watchedConn{Conn: conn, silence: p.Silence}, nil
	}
}

// watchedConn fails when nothing moved on it for so long, in whichever direction.
type watchedConn struct {
	net.Conn
	silence time.Duration
}

// Read implements io.Reader.
func (c *watchedConn) Read(b []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(c.silence)); err != nil {
		return 0, err
	}
	return c.Conn.Read(b)
}

// Write implements io.Writer. The time in which an answer must begin counts from the last byte that was sent.
func (c *watchedConn) Write(b []byte) (int, error) {
	if err := c.SetDeadline(time.Now().Add(c.silence)); err != nil {
		return 0, err
	}
	n, err := c.Conn.Write(b)
	return n, errors.Join(err, c.SetReadDeadline(time.Now().Add(c.silence)))
}
