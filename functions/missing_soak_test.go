//go:build soak

package functions_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/scripts/rig"
)

// TestSoakAMissingPermissionInAMap: a worker of a Map says in its log what it lacks; the Map itself says no more than that too many
// failed. The stand-in takes ten seconds to give it up.
func TestSoakAMissingPermissionInAMap(t *testing.T) {
	rig.Soak(t, 0.001)
	e := deployStack(t)
	var rows [][]any
	for i := range 60 {
		rows = append(rows, []any{int64(i), wide(1, i), "x"})
	}
	e.load(product(), rows...)
	e.tick()
	e.activate("dept")
	e.tick()
	e.change(product(), update(int64(5), "mapped", "x")) // of a file that weighs more than what is applied inline
	restore := e.without("MergeRole", "s3:PutObject", "arn:aws:s3:::"+e.lake+"/tables/product/*")
	run := e.failing()
	restore()
	if entered := e.entered(run); entered["Phase2"] == 0 {
		t.Errorf("without s3:PutObject in a Map: %v", entered)
	}
	if aws.ToString(run.Error) != "States.ExceedToleratedFailureThreshold" { // docs/OPERATIONS.md says where to look then
		t.Errorf("without s3:PutObject in a Map: %s %s", aws.ToString(run.Error), aws.ToString(run.Cause))
	}
	e.told(t, run)
	_, err := dynamodb.NewFromConfig(e.settings).UpdateItem(t.Context(), &dynamodb.UpdateItemInput{ // 20 minutes later
		TableName: &e.table, Key: map[string]dynamodbtypes.AttributeValue{"path": &dynamodbtypes.AttributeValueMemberS{Value: e.path()}},
		UpdateExpression: aws.String("REMOVE LeaseOwner, LeaseUntil"),
	})
	e.must(err)
	e.ran("Merge")
}
