package contract

import (
	"regexp"
	"strconv"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/lake"
	"sluice/internal/parquetedit"
)

// kind is what of a type a condition cares for.
type kind int

const (
	other kind = iota
	boolean
	number // integers and decimals
	float
	date
	clock // time of day
	timestamp
	text
	uuid
)

func kindOf(t parquetedit.Type) kind {
	switch t.Logical {
	case parquetedit.Decimal, parquetedit.Integer:
		return number
	case parquetedit.Date:
		return date
	case parquetedit.Time:
		return clock
	case parquetedit.Timestamp:
		return timestamp
	case parquetedit.String, parquetedit.JSON:
		return text
	case parquetedit.UUID:
		return uuid
	case parquetedit.None:
		switch t.Physical {
		case parquet.Boolean:
			return boolean
		case parquet.Int32, parquet.Int64:
			return number
		case parquet.Float, parquet.Double:
			return float
		case parquet.Int96:
			return timestamp
		case parquet.ByteArray, parquet.FixedLenByteArray:
		}
	case parquetedit.BSON, parquetedit.Float16, parquetedit.Interval:
	}
	return other
}

const typeNames = "boolean, tinyint, smallint, int, bigint, int unsigned, bigint unsigned, decimal(p,s), float, double, date, time, timestamp, string, binary, uuid"

// parseType reads the name of a type, as halts and logs write it.
func parseType(v literal) (parquetedit.Type, error) {
	if m := regexp.MustCompile(`^decimal\((\d{1,2}), ?(\d{1,2})\)$`).FindStringSubmatch(v.text); m != nil {
		precision, _ := strconv.Atoi(m[1])
		scale, _ := strconv.Atoi(m[2])
		if precision < 1 || precision > 38 || scale > precision {
			return parquetedit.Type{}, errorf(v.line, "%s: a decimal has 1 to 38 digits, and of these the scale", v.text)
		}
		return parquetedit.Type{Physical: parquet.ByteArray, Logical: parquetedit.Decimal, Precision: precision, Scale: scale}, nil
	}
	whole := func(physical parquet.Kind, bits int, signed bool) parquetedit.Type {
		return parquetedit.Type{Physical: physical, Logical: parquetedit.Integer, Bits: bits, Signed: signed}
	}
	t, ok := map[string]parquetedit.Type{
		"boolean":         {Physical: parquet.Boolean},
		"tinyint":         whole(parquet.Int32, 8, true),
		"smallint":        whole(parquet.Int32, 16, true),
		"int":             whole(parquet.Int32, 32, true),
		"bigint":          whole(parquet.Int64, 64, true),
		"int unsigned":    whole(parquet.Int32, 32, false),
		"bigint unsigned": whole(parquet.Int64, 64, false),
		"float":           {Physical: parquet.Float},
		"double":          {Physical: parquet.Double},
		"date":            {Physical: parquet.Int32, Logical: parquetedit.Date},
		"time":            {Physical: parquet.Int64, Logical: parquetedit.Time, Unit: parquetedit.Micros},
		"timestamp":       {Physical: parquet.Int64, Logical: parquetedit.Timestamp, Unit: parquetedit.Micros},
		"string":          {Physical: parquet.ByteArray, Logical: parquetedit.String},
		"binary":          {Physical: parquet.ByteArray},
		"uuid":            {Physical: parquet.FixedLenByteArray, Length: 16, Logical: parquetedit.UUID},
	}[v.text]
	if !ok {
		return t, errorf(v.line, "there is no type %q; there are %s", v.text, typeNames)
	}
	return t, nil
}

// takes says whether every value of a type is one of the wanted type; times and timestamps may be of any unit.
func (r *rule) takes(t parquetedit.Type) bool {
	if k := kindOf(r.want); k == clock || k == timestamp {
		return kindOf(t) == k
	}
	wide, ok := lake.Widen(r.want, t)
	return ok && wide == r.want
}
