package catalog_test

import (
	"testing"

	"sluice/internal/catalog"
	"sluice/internal/catalog/catalogtest"
	"sluice/scripts/rig"
)

func TestMemory(t *testing.T) {
	t.Parallel()
	catalogtest.Run(t, func(*testing.T) catalog.Backend { return catalog.NewMemory() })
}

func TestGlue(t *testing.T) {
	catalogtest.Run(t, func(t *testing.T) catalog.Backend {
		t.Helper()
		glue := rig.Glue(t)
		t.Setenv("AWS_ENDPOINT_URL_GLUE", glue.Endpoint)
		client, err := catalog.NewGlueClient(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return catalog.NewGlue(client, glue.Database)
	})
}

func TestTableName(t *testing.T) {
	for want, parts := range map[string][]string{
		"product":        {"product"},
		"store_product":  {"Store", "Product"},
		"my_table_2":     {"my-table.2"},
		"stra_e":         {"straße"},
		"order_details_": {"Order Details!"},
	} {
		if got := catalog.TableName(parts...); got != want {
			t.Errorf("%q: got %q, want %q", parts, got, want)
		}
	}
}
