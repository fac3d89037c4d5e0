package lake

import (
	"fmt"
	"strings"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/parquetedit"
)

// family says which types can hold the same values: conversion, order and
// equality are defined inside a family only, but for integers and floats, and for UUIDs and their text.
type family int

const (
	famOther     family = iota // float16, interval, unknown pairs: only to themselves
	famBool                    // BOOLEAN
	famNumber                  // integers and decimals of every physical type
	famFloat                   // FLOAT, DOUBLE
	famDate                    // days
	famTime                    // time of day
	famTimestamp               // instants, INT96 too
	famBytes                   // text and binary
	famUUID                    // sixteen fixed bytes
)

func familyOf(t parquetedit.Type) family {
	switch t.Logical {
	case parquetedit.None:
		return plainFamily(t.Physical)
	case parquetedit.String, parquetedit.JSON, parquetedit.BSON:
		return only(famBytes, isBytes(t))
	case parquetedit.UUID:
		return only(famUUID, t.Physical == parquet.FixedLenByteArray && t.Length == 16)
	case parquetedit.Integer:
		return only(famNumber, isInt(t))
	case parquetedit.Decimal:
		return only(famNumber, (isInt(t) || isBytes(t)) && t.Scale >= 0)
	case parquetedit.Date:
		return only(famDate, t.Physical == parquet.Int32)
	case parquetedit.Time:
		return only(famTime, isInt(t) && perSecond(t.Unit) > 0)
	case parquetedit.Timestamp:
		return only(famTimestamp, t.Physical == parquet.Int96 || t.Physical == parquet.Int64 && perSecond(t.Unit) > 0)
	case parquetedit.Float16, parquetedit.Interval:
		return famOther
	}
	return famOther
}

func plainFamily(physical parquet.Kind) family {
	switch physical {
	case parquet.Boolean:
		return famBool
	case parquet.Int32, parquet.Int64:
		return famNumber
	case parquet.Int96:
		return famTimestamp
	case parquet.Float, parquet.Double:
		return famFloat
	case parquet.ByteArray, parquet.FixedLenByteArray:
		return famBytes
	}
	return famOther
}

func only(f family, ok bool) family {
	if ok {
		return f
	}
	return famOther
}

func isInt(t parquetedit.Type) bool {
	return t.Physical == parquet.Int32 || t.Physical == parquet.Int64
}

func isBytes(t parquetedit.Type) bool {
	return t.Physical == parquet.ByteArray || t.Physical == parquet.FixedLenByteArray
}

func isText(t parquetedit.Type) bool {
	return t.Logical == parquetedit.String || t.Logical == parquetedit.JSON
}

// sameForm says whether the values of two types are the same bytes.
func sameForm(a, b parquetedit.Type) bool {
	return a.Physical == b.Physical && (a.Physical != parquet.FixedLenByteArray || a.Length == b.Length)
}

// TypeName returns how a type is written in messages: the names of SQL where
// there is one ("bigint", "decimal(10,2)", "timestamp(us)"), else the physical
// name with its annotation.
func TypeName(t parquetedit.Type) string {
	switch familyOf(t) {
	case famNumber:
		return numberName(t)
	case famBool, famDate, famUUID:
		return map[family]string{famBool: "boolean", famDate: "date", famUUID: "uuid"}[familyOf(t)]
	case famTime:
		return fmt.Sprintf("time(%s)", t.Unit)
	case famTimestamp:
		if t.Physical == parquet.Int96 {
			return "timestamp(int96)"
		}
		return fmt.Sprintf("timestamp(%s)", t.Unit)
	case famFloat:
		return strings.ToLower(t.Physical.String())
	case famBytes, famOther:
	}
	return bytesName(t)
}

func numberName(t parquetedit.Type) string {
	if t.Logical == parquetedit.Decimal {
		return fmt.Sprintf("decimal(%d,%d)", t.Precision, t.Scale)
	}
	n := numberOf(t)
	name := map[int]string{8: "tinyint", 16: "smallint", 32: "int", 64: "bigint"}[n.bits]
	if n.unsigned {
		name += " unsigned"
	}
	return name
}

func bytesName(t parquetedit.Type) string {
	name := "binary"
	if t.Logical != parquetedit.None {
		name = string(t.Logical)
	}
	if t.Physical == parquet.FixedLenByteArray {
		return fmt.Sprintf("%s(%d)", name, t.Length)
	}
	if t.Physical == parquet.ByteArray {
		return name
	}
	return fmt.Sprintf("%s as %s", name, t.Physical)
}
