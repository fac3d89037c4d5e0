package lake

import (
	"math/big"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/parquetedit"
)

// maxPrecision is the number of digits that Spark, Hive and Athena give a decimal.
const maxPrecision = 38

// Widen returns the smallest type that holds every value of both, or false when
// there is none. It returns a itself where that already holds all of b.
//
// The finer unit of two timestamps counts as the wider one, although INT64 nanoseconds end in
// 2262; INT96 is wider than all of them. A new decimal has the form that Spark gives it:
// INT32 to 9 digits, INT64 to 18, else the fewest fixed bytes; 38 digits at most.
func Widen(a, b parquetedit.Type) (parquetedit.Type, bool) {
	switch {
	case holds(a, b):
		return a, true
	case holds(b, a):
		return b, true
	}
	x, y := familyOf(a), familyOf(b)
	switch {
	case x == famNumber && y == famNumber:
		return widerNumber(a, b)
	case x == famBytes && y == famBytes && a.Logical != parquetedit.BSON && b.Logical != parquetedit.BSON:
		return parquetedit.Type{Physical: parquet.ByteArray}, true
	case x == famNumber && y == famFloat, x == famFloat && y == famNumber:
		double := parquetedit.Type{Physical: parquet.Double}
		return double, holds(double, a) && holds(double, b)
	}
	return parquetedit.Type{}, false
}

// holds says whether every value of from is one of to.
func holds(to, from parquetedit.Type) bool {
	if to == from {
		return true
	}
	a, b := familyOf(to), familyOf(from)
	switch {
	case a == famOther || b == famOther:
		return false
	case a == famNumber && b == famNumber:
		n, m := numberOf(to), numberOf(from)
		return n.holds(&m)
	case a == famFloat && b == famNumber:
		return floatHolds(to, from)
	case a == famFloat && b == famFloat:
		return to.Physical == parquet.Double || from.Physical == parquet.Float
	case a != b:
		return b == famUUID && to.Physical == parquet.ByteArray && to.Logical == parquetedit.String
	case a == famTime || a == famTimestamp:
		return fineness(to) >= fineness(from)
	case a == famBytes:
		return bytesHold(to, from)
	}
	return true
}

// floatHolds says whether a float has every integer of a type: 2^24 and 2^53 are where the gaps begin.
func floatHolds(to, from parquetedit.Type) bool {
	if from.Logical == parquetedit.Decimal {
		return false
	}
	most := big.NewInt(1 << 53)
	if to.Physical == parquet.Float {
		most = big.NewInt(1 << 24)
	}
	n := numberOf(from)
	return n.high.CmpAbs(most) <= 0 && n.low.CmpAbs(most) <= 0
}

func fineness(t parquetedit.Type) int64 {
	if t.Physical == parquet.Int96 {
		return 2 * nanosPerSecond
	}
	return perSecond(t.Unit)
}

func bytesHold(to, from parquetedit.Type) bool {
	if to.Physical == parquet.FixedLenByteArray {
		return sameForm(to, from) && (to.Logical == parquetedit.None || to.Logical == from.Logical)
	}
	if to.Logical == parquetedit.None {
		return from.Logical != parquetedit.BSON
	}
	if to.Logical == parquetedit.String {
		return isText(from)
	}
	return to.Logical == from.Logical
}

func widerNumber(a, b parquetedit.Type) (parquetedit.Type, bool) {
	n, m := numberOf(a), numberOf(b)
	if a.Logical != parquetedit.Decimal && b.Logical != parquetedit.Decimal {
		for _, t := range []parquetedit.Type{{Physical: parquet.Int32}, {Physical: parquet.Int64}} {
			if wide := numberOf(t); wide.holds(&n) && wide.holds(&m) {
				return t, true
			}
		}
	}
	scale := max(n.scale, m.scale)
	precision := scale + max(whole(a, &n), whole(b, &m))
	return decimal(precision, scale), precision <= maxPrecision
}

// whole returns how many digits stand before the point.
func whole(t parquetedit.Type, n *number) int {
	if t.Logical == parquetedit.Decimal && t.Precision > 0 {
		return t.Precision - t.Scale
	}
	return len(n.high.String()) - n.scale
}

func decimal(precision, scale int) parquetedit.Type {
	t := parquetedit.Type{Logical: parquetedit.Decimal, Precision: precision, Scale: scale}
	switch {
	case precision <= 9:
		t.Physical = parquet.Int32
	case precision <= 18:
		t.Physical = parquet.Int64
	default:
		t.Physical = parquet.FixedLenByteArray
		t.Length = pow10(precision).BitLen()/8 + 1
	}
	return t
}
