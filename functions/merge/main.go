// The function merge carries out steps of incremental merges for the state machine TableRun: see functions/tablerun.
package main

import (
	"context"
	"log/slog"

	"github.com/aws/aws-lambda-go/lambda"

	"sluice/functions/tablerun"
	"sluice/functions/wiring"
	"sluice/internal/replicate"
)

func main() {
	function, err := wiring.New(context.Background(), 1)
	if err != nil {
		wiring.Refuse(err)
	}
	worker := &tablerun.Worker{
		Stage: replicate.StageMerge, InlineBytes: function.InlineBytes, StopBefore: function.StopBefore,
		Log: function.Log, Metrics: function.Metrics,
		Open: func(owner string, log *slog.Logger) (tablerun.Engine, error) { return function.Engine(owner, log) },
	}
	lambda.Start(worker.Handle)
}
