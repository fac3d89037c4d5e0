package proxy

import (
	"math/rand/v2"
	"time"
)

// S3Kinds and DynamoDBKinds are the faults that a program made from a seed draws from: all but those that hold a
// request until the client has lost patience, which takes a minute each.
func S3Kinds() []Kind {
	return []Kind{
		Refused500, Lost500, SlowDown, Skewed, LateAnswer, Dropped, LostAnswer, CutRequest,
		CutAnswer, ShortAnswer, CleanEnd, Unlisted, RepeatedPage, Endless,
	}
}

// DynamoDBKinds are S3Kinds for a control table.
func DynamoDBKinds() []Kind {
	return []Kind{Refused500, Lost500, Throttled, LateAnswer, Dropped, LostAnswer, CutRequest, CutAnswer, ShortAnswer, CleanEnd}
}

// Random draws a program: up to four of the kinds, each with a probability of up to most. Listings are few: what befalls
// only them does so up to every second time.
func Random(rng *rand.Rand, kinds []Kind, most float64) []Rule {
	var rules []Rule
	for range 1 + rng.IntN(4) {
		kind, ceiling := kinds[rng.IntN(len(kinds))], most
		if kind == Unlisted || kind == RepeatedPage || kind == Endless {
			ceiling = max(most, 0.5)
		}
		rules = append(rules, Rule{
			Kind: kind, Probability: ceiling * rng.Float64(),
			Rand: rand.New(rand.NewPCG(rng.Uint64(), rng.Uint64())), Delay: time.Duration(rng.IntN(100)) * time.Millisecond,
		})
	}
	return rules
}
