// Package contract says what the rows of a table's inputs have to be, and finds those that are not.
//
// A contract is YAML, a list of rules:
//
//	on_violation: quarantine      # or halt, which is the default; a rule may say otherwise
//	rules:
//	  - column: id
//	    required: true            # every file has the column
//	    type: bigint              # a type whose every value is one of this
//	    not_null: true
//	  - column: price
//	    min: 0
//	    max: 9999.99
//	  - column: state
//	    in: [new, sold]
//	    on_violation: halt
//	  - column: code
//	    pattern: "[A-Z]{3}-[0-9]+"  # the whole text, as RE2 has it
//	    min_length: 5               # in characters
//	    max_length: 12
//	  - unique_key: true
//
// Each condition judges a row by itself: NULL is judged by not_null alone, a column that a file lacks is NULL in its rows. Of a
// deleted row only the columns of the primary key are judged, for the others need not be there. unique_key looks at several rows:
// in a full load no two have one key, in a change file there are no two inserts of one key without a delete of it between them.
// It looks at each change file by itself, so that what comes out does not depend on which files are merged together.
//
// The package knows no cloud and changes nothing. It never says a value: rows have no business in messages.
package contract
