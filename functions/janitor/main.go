// The function janitor deletes what no commit can need any more, in every table. It is the only one that may delete.
package main

import (
	"context"
	"log/slog"

	"github.com/aws/aws-lambda-go/lambda"

	"sluice/functions/cleaning"
	"sluice/functions/wiring"
)

// atOnce is how many tables are cleaned at once.
const atOnce = 8

func main() {
	function, err := wiring.New(context.Background(), atOnce)
	if err != nil {
		wiring.Refuse(err)
	}
	cleaner := &cleaning.Cleaner{
		Log: function.Log, StopBefore: function.StopBefore,
		Open: func(log *slog.Logger) (cleaning.Janitor, error) { return function.Janitor(log) },
	}
	lambda.Start(cleaner.Handle)
}
