package dmsgen

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// Sample is the sample database of the demo: store, product and productorder,
// with the columns and keys of the AWS sample "Load ongoing data lake changes
// with AWS DMS and AWS Glue". It changes in rounds and always knows its rows.
// Equal days give equal rows.
type Sample struct {
	today     string
	rng       *rand.Rand
	tables    []Table
	oracles   map[string]*Oracle
	nextOrder int64
}

// NewSample returns the database as the full load finds it. today is the day
// of the orders that round one makes.
func NewSample(today time.Time) *Sample {
	s := &Sample{
		today: today.Format(dateForm), rng: rand.New(rand.NewPCG(1345, 3)),
		oracles: map[string]*Oracle{}, nextOrder: 1,
	}
	for _, t := range sampleTables() {
		s.tables, s.oracles[t.Name] = append(s.tables, t), NewOracle(t)
	}
	s.oracles["store"].Load(sampleStores()...)
	s.oracles["product"].Load(sampleProducts()...)
	for _, day := range []string{"2025-01-06", "2025-01-07", "2025-01-08", "2025-01-09", "2025-01-10"} {
		s.oracles["productorder"].Apply(s.orders(1200, day)...)
	}
	return s
}

func sampleTables() []Table {
	return []Table{
		{Schema: "sampledb", Name: "store", Key: []string{"id"}, Columns: []Column{
			{"id", "int"}, {"address1", "text"}, {"city", "text"}, {"state", "text"}, {"countrycode", "text"}, {"postcode", "text"},
		}},
		{Schema: "sampledb", Name: "product", Key: []string{"id"}, Columns: []Column{
			{"id", "int"}, {"name", "text"}, {"dept", "text"}, {"category", "text"}, {"price", "numeric(10,2)"},
		}},
		{Schema: "sampledb", Name: "productorder", Key: []string{"id"}, Columns: []Column{
			{"id", "int"}, {"productid", "int"}, {"storeid", "int"}, {"qty", "int"}, {"soldprice", "numeric(10,2)"}, {"create_dt", "date"},
		}},
	}
}

// Tables returns store, product and productorder.
func (s *Sample) Tables() []Table { return s.tables }

// Rows returns a table's rows as they are now, in key order.
func (s *Sample) Rows(table string) [][]any { return s.oracles[table].Rows() }

// Oracle returns the truth about a table.
func (s *Sample) Oracle(table string) *Oracle { return s.oracles[table] }

// RoundOne makes the changes of the AWS sample:
//
//	update product set name='Sample Product', dept='Sample Dept', category='Sample Category' where id=1001;
//	delete from product where id=1002;
//	call loadorders(1345, current_date);
//	insert into store values(1009,'125 Technology Dr.','Irvine','CA','US','92618');
func (s *Sample) RoundOne() []TableChanges {
	return []TableChanges{
		s.apply("product",
			s.update("product", 1001, "name", "Sample Product", "dept", "Sample Dept", "category", "Sample Category"),
			s.remove("product", 1002)),
		s.apply("productorder", s.orders(1345, s.today)...),
		s.apply("store", Change{
			Op: Insert, Row: []any{int64(1009), "125 Technology Dr.", "Irvine", "CA", "US", "92618"},
		}),
	}
}

// RoundTwo makes changes of the same kinds, one of which takes an order to
// another create_dt, hence to another partition:
//
//	update product set price=99.50 where id=1003;
//	delete from productorder where id in (7, 1300);
//	update productorder set qty=99 where id=8;
//	update productorder set create_dt='2025-01-08' where id=9;
//	update store set address1='1 Harbor Plaza' where id=1004;
func (s *Sample) RoundTwo() []TableChanges {
	return []TableChanges{
		s.apply("product", s.update("product", 1003, "price", "99.50")),
		s.apply("productorder",
			s.remove("productorder", 7), s.remove("productorder", 1300),
			s.update("productorder", 8, "qty", int64(99)),
			s.update("productorder", 9, "create_dt", "2025-01-08")),
		s.apply("store", s.update("store", 1004, "address1", "1 Harbor Plaza")),
	}
}

func (s *Sample) apply(table string, changes ...Change) TableChanges {
	s.oracles[table].Apply(changes...)
	for _, t := range s.tables {
		if t.Name == table {
			return TableChanges{Table: t, Changes: changes}
		}
	}
	return TableChanges{Changes: changes}
}

// update returns the change of one row; set alternates column names and values.
func (s *Sample) update(table string, id int64, set ...any) Change {
	o := s.oracles[table]
	before, _ := o.Row(o.Key([]any{id}))
	row := append([]any(nil), before...)
	for i := 0; i+1 < len(set); i += 2 {
		row[o.table.Index(fmt.Sprint(set[i]))] = set[i+1]
	}
	return Change{Op: Update, Row: row, Before: before}
}

func (s *Sample) remove(table string, id int64) Change {
	o := s.oracles[table]
	row, _ := o.Row(o.Key([]any{id}))
	return Change{Op: Delete, Row: row}
}

// orders is the procedure loadorders: n new orders of one day.
func (s *Sample) orders(n int, day string) []Change {
	changes := make([]Change, n)
	for i := range changes {
		changes[i] = Change{Op: Insert, Row: []any{
			s.nextOrder, 1001 + s.rng.Int64N(25), 1001 + s.rng.Int64N(8), 1 + s.rng.Int64N(10),
			fmt.Sprintf("%d.%02d", s.rng.IntN(100), s.rng.IntN(100)), day,
		}}
		s.nextOrder++
	}
	return changes
}

func sampleStores() [][]any {
	return [][]any{
		{int64(1001), "12 Glacier Way", "Juneau", "AK", "US", "99801"},
		{int64(1002), "400 Denali St, Unit 7", "Fairbanks", "AK", "US", "99701"},
		{int64(1003), "88 Harbor Rd", "Sitka", "AK", "US", "99835"},
		{int64(1004), "9 Magnolia Ave", "Mobile", "AL", "US", "36602"},
		{int64(1005), "2100 Iron City Blvd", "Birmingham", "AL", "US", "35203"},
		{int64(1006), "31 River Market", "Little Rock", "AR", "US", "72201"},
		{int64(1007), "5 Ozark Trail", "Fayetteville", "AR", "US", "72701"},
		{int64(1008), "777 Saguaro Dr", "Tucson", "AZ", "US", "85701"},
	}
}

// sampleProducts returns products 1001 to 1025.
func sampleProducts() [][]any {
	shelves := []struct{ dept, category, article string }{
		{"Kitchen", "Kettles", "Kettle"},
		{"Kitchen", "Pans", "Pan"},
		{"Garden", "Lanterns", "Lantern"},
		{"Office", "Lamps", "Desk Lamp"},
		{"Office", "Notebooks", "Notebook"},
	}
	var rows [][]any
	for i := range 25 {
		shelf := shelves[i/5]
		price := fmt.Sprintf("%d.%02d", 19+13*i, 49+i)
		rows = append(rows, []any{int64(1001 + i), fmt.Sprintf("%s No. %d", shelf.article, i%5+1), shelf.dept, shelf.category, price})
	}
	return rows
}
