package infra_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"sluice/scripts/rig"
	"sluice/scripts/rig/stack"
)

// deployed is a stack at the rig's stand-in for AWS, and the test that looks at it.
type deployed struct {
	*stack.Stack
	t      *testing.T
	config aws.Config
}

// deploy creates the stack of a template with the given parameters.
func deploy(t *testing.T, template string, parameters map[string]string) *deployed {
	t.Helper()
	config := stack.Config(rig.DynamoDB(t).Endpoint) // which is that of every service
	return &deployed{Stack: stack.Deploy(t, config, template, parameters, nil), t: t, config: config}
}

// in returns the same stack for a test inside the one that deployed it.
func (s *deployed) in(t *testing.T) *deployed {
	t.Helper()
	inner := *s
	inner.t = t
	return &inner
}
