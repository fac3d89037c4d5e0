// The function controller makes a tick: it registers new tables and starts a table run for each that has something to do:
// see functions/tick.
package main

import (
	"context"
	"log/slog"

	"github.com/aws/aws-lambda-go/lambda"

	"sluice/functions/tick"
	"sluice/functions/wiring"
)

// atOnce is how many tables are compared at once: each is one request that waits for S3.
const atOnce = 32

func main() {
	ctx := context.Background()
	function, err := wiring.New(ctx, atOnce)
	if err != nil {
		wiring.Refuse(err)
	}
	starter, err := tick.NewStarter(ctx, function.Machine)
	if err != nil {
		wiring.Refuse(err)
	}
	controller := &tick.Controller{
		Starter: starter, Log: function.Log, Metrics: function.Metrics,
		Open: func(owner string, log *slog.Logger) (tick.Engine, error) { return function.Engine(owner, log) },
	}
	lambda.Start(controller.Handle)
}
