package dmsgen

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// WriteTransactions writes one file as PreserveTransactions does: CSV whatever the format, the changes of all tables in
// the order of their commits, each row with the op, the table and its schema before the fields. It returns the key,
// [BucketFolder/]CdcPath/CDC_TXN-20201117153046033.csv (user guide, "Capturing data changes (CDC) including
// transaction order on the S3 target").
func (w *Writer) WriteTransactions(ctx context.Context, at time.Time, transactions ...TableChanges) (string, error) {
	s := w.settings
	if s.CdcPath == "" {
		return "", errors.New("transactions want a CdcPath")
	}
	s.Format = CSV
	var body []byte
	for _, transaction := range transactions {
		rows, err := w.transactionRows(transaction, at)
		if err != nil {
			return "", err
		}
		body = append(body, rows...)
	}
	name := strings.Replace(at.In(s.location()).Format("20060102150405.000"), ".", "", 1)
	key := s.Folder + strings.Trim(s.CdcPath, "/") + "/CDC_TXN-" + name + s.extension()
	body, err := compressed(s, body)
	if err != nil {
		return "", err
	}
	return key, w.sink.Put(ctx, key, body, at.Add(s.Delay))
}

func (w *Writer) transactionRows(transaction TableChanges, at time.Time) ([]byte, error) {
	t, s := transaction.Table, w.settings
	fields, err := w.changeFields(t)
	if err != nil {
		return nil, err
	}
	fields = append([]field{textField("op", false), textField("table", false), textField("schema", false)}, fields[1:]...)
	rows := newCSVFile(s, fields)
	for i, change := range s.Written(transaction.Changes...) {
		laid, err := w.changeRows(t, change, at, i)
		if err != nil {
			return nil, fmt.Errorf("write transactions: %w", err)
		}
		for _, row := range laid {
			if err := rows.append(append([]any{string(change.Op), t.Name, t.Schema}, row[1:]...)); err != nil {
				return nil, fmt.Errorf("write transactions: %w", err)
			}
		}
	}
	return rows.body.Bytes(), nil
}
