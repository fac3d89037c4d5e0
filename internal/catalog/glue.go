package catalog

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
)

// How Athena, Spark and Hive read Parquet: https://docs.aws.amazon.com/athena/latest/ug/parquet-serde.html.
const (
	parquetSerDe  = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
	parquetInput  = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat"
	parquetOutput = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat"
)

// Glue is a database of the AWS Glue Data Catalog. It has to be there: it is never made.
type Glue struct {
	client   *glue.Client
	database string
}

// NewGlue returns the database of that name. Retries are the client's.
func NewGlue(client *glue.Client, database string) *Glue { return &Glue{client, database} }

// Name implements Backend.
func (g *Glue) Name() string { return "glue:" + g.database }

// Table implements Backend by GetTable.
func (g *Glue) Table(ctx context.Context, name string) (Registered, error) {
	out, err := g.client.GetTable(ctx, &glue.GetTableInput{DatabaseName: &g.database, Name: &name})
	if err != nil {
		return Registered{}, g.explain(err, ErrNotFound)
	}
	t := out.Table
	r := Registered{Version: aws.ToString(t.VersionId), kept: t}
	r.Name, r.Path, r.Keys = name, t.Parameters[PathParameter], columnsOf(t.PartitionKeys)
	if d := t.StorageDescriptor; d != nil {
		r.Location, r.Columns, r.Parquet = aws.ToString(d.Location), columnsOf(d.Columns), isParquet(d)
	}
	return r, nil
}

func isParquet(d *types.StorageDescriptor) bool {
	return d.SerdeInfo != nil && aws.ToString(d.SerdeInfo.SerializationLibrary) == parquetSerDe &&
		aws.ToString(d.InputFormat) == parquetInput && aws.ToString(d.OutputFormat) == parquetOutput
}

// PutTable implements Backend by CreateTable, or UpdateTable at the version that was looked at. What it finds beside
// what it writes stays: description, owner, comments, other parameters.
func (g *Glue) PutTable(ctx context.Context, want Table, was Registered) error {
	input := &types.TableInput{
		Name: &want.Name, TableType: aws.String("EXTERNAL_TABLE"),
		Parameters:        map[string]string{"EXTERNAL": "TRUE", "classification": "parquet", PathParameter: want.Path},
		PartitionKeys:     columns(want.Keys, nil), // never nil: Athena wants the list
		StorageDescriptor: descriptor(want.Location, want.Columns, nil),
	}
	if was.Version == "" && was.kept == nil {
		_, err := g.client.CreateTable(ctx, &glue.CreateTableInput{DatabaseName: &g.database, TableInput: input})
		return g.explain(err, ErrNoDatabase)
	}
	if old, ok := was.kept.(*types.Table); ok {
		keep(input, old, want)
	}
	_, err := g.client.UpdateTable(ctx, &glue.UpdateTableInput{
		DatabaseName: &g.database, TableInput: input, SkipArchive: aws.Bool(true), VersionId: &was.Version,
	})
	return g.explain(err, ErrChanged)
}

// keep puts what is not ours of a table into the input that changes it.
func keep(input *types.TableInput, old *types.Table, want Table) {
	input.Description, input.Owner, input.Retention = old.Description, old.Owner, old.Retention
	ours := input.Parameters
	input.Parameters = maps.Clone(old.Parameters)
	if input.Parameters == nil {
		input.Parameters = map[string]string{}
	}
	maps.Copy(input.Parameters, ours)
	input.PartitionKeys = columns(want.Keys, old.PartitionKeys)
	input.StorageDescriptor = descriptor(want.Location, want.Columns, old.StorageDescriptor)
}

// descriptor describes Parquet files below a location; the comments of the columns, and the parameters, are of old.
func descriptor(location string, list []Column, old *types.StorageDescriptor) *types.StorageDescriptor {
	d := &types.StorageDescriptor{
		Location: &location, InputFormat: aws.String(parquetInput), OutputFormat: aws.String(parquetOutput),
		SerdeInfo: &types.SerDeInfo{
			SerializationLibrary: aws.String(parquetSerDe), Parameters: map[string]string{"serialization.format": "1"},
		},
	}
	if old == nil {
		d.Columns = columns(list, nil)
		return d
	}
	d.Columns, d.Parameters = columns(list, old.Columns), old.Parameters
	return d
}

// columns returns the columns as Glue has them, with the comments of those that it had.
func columns(list []Column, old []types.Column) []types.Column {
	kept := map[string]types.Column{}
	for _, c := range old {
		kept[aws.ToString(c.Name)] = c
	}
	made := make([]types.Column, len(list))
	for i, c := range list {
		made[i] = types.Column{Name: &c.Name, Type: &c.Type, Comment: kept[c.Name].Comment, Parameters: kept[c.Name].Parameters}
	}
	return made
}

func columnsOf(list []types.Column) []Column {
	made := make([]Column, len(list))
	for i, c := range list {
		made[i] = Column{aws.ToString(c.Name), aws.ToString(c.Type)}
	}
	return made
}

// Partitions implements Backend by BatchGetPartition.
func (g *Glue) Partitions(ctx context.Context, table string, values [][]string) ([]Partition, error) {
	in := &glue.BatchGetPartitionInput{DatabaseName: &g.database, TableName: &table}
	for _, v := range values {
		in.PartitionsToGet = append(in.PartitionsToGet, types.PartitionValueList{Values: v})
	}
	var there []Partition
	for len(in.PartitionsToGet) > 0 {
		out, err := g.client.BatchGetPartition(ctx, in)
		if err != nil {
			return nil, g.explain(err, ErrChanged)
		}
		for _, p := range out.Partitions {
			one := Partition{Values: p.Values}
			if d := p.StorageDescriptor; d != nil {
				one.Location, one.Columns = aws.ToString(d.Location), columnsOf(d.Columns)
			}
			there = append(there, one)
		}
		if len(out.Partitions) == 0 { // the keys that are left are not there, or the answer did not hold them
			break
		}
		in.PartitionsToGet = out.UnprocessedKeys
	}
	return there, nil
}

// AddPartitions implements Backend by BatchCreatePartition.
func (g *Glue) AddPartitions(ctx context.Context, table string, partitions []Partition) error {
	in := &glue.BatchCreatePartitionInput{DatabaseName: &g.database, TableName: &table}
	for _, p := range partitions {
		in.PartitionInputList = append(in.PartitionInputList, partitionInput(p))
	}
	out, err := g.client.BatchCreatePartition(ctx, in)
	if err != nil {
		return g.explain(err, ErrChanged)
	}
	var failed []error
	for _, f := range out.Errors {
		failed = append(failed, partitionError(f.PartitionValues, f.ErrorDetail))
	}
	return errors.Join(failed...)
}

// SetPartitions implements Backend by BatchUpdatePartition, which Glue cannot make conditional.
func (g *Glue) SetPartitions(ctx context.Context, table string, partitions []Partition) error {
	in := &glue.BatchUpdatePartitionInput{DatabaseName: &g.database, TableName: &table}
	for _, p := range partitions {
		input := partitionInput(p)
		in.Entries = append(in.Entries, types.BatchUpdatePartitionRequestEntry{PartitionValueList: p.Values, PartitionInput: &input})
	}
	out, err := g.client.BatchUpdatePartition(ctx, in)
	if err != nil {
		return g.explain(err, ErrChanged)
	}
	var failed []error
	for _, f := range out.Errors {
		failed = append(failed, partitionError(f.PartitionValueList, f.ErrorDetail))
	}
	return errors.Join(failed...)
}

func partitionInput(p Partition) types.PartitionInput {
	return types.PartitionInput{
		Values: p.Values, StorageDescriptor: descriptor(p.Location, p.Columns, nil),
		Parameters: map[string]string{"classification": "parquet"},
	}
}

func partitionError(values []string, detail *types.ErrorDetail) error {
	if detail == nil {
		return fmt.Errorf("partition %q was refused", values)
	}
	code := aws.ToString(detail.ErrorCode)
	err := fmt.Errorf("partition %q: %s: %s", values, code, aws.ToString(detail.ErrorMessage))
	switch code {
	case "AlreadyExistsException", "EntityNotFoundException", "ConcurrentModificationException":
		return fmt.Errorf("%w: %w", ErrChanged, err)
	}
	return err
}
