package cost

// The AWS sample on Glue: each hour a Python shell job for every active table (DMSCDC_ProcessTable), which starts a Spark
// job (DMSCDC_LoadIncremental) where there are changes and waits for it. Each is billed for a minute at least.
const (
	glueMinimum = 60 // seconds
	shellDPU    = 0.0625
)

// Ancestor is what the same fleet costs on Glue at so many DPU a Spark job. Requests to S3 and DynamoDB, logs and the
// controller are left out, which flatters it.
func Ancestor(f Fleet, p Prices, dpu float64) []Line {
	merges, runs := float64(f.Tables)*f.Changing*hours, float64(f.Tables)*hours
	spark := merges * dpu * max(glueMinimum, f.SparkSeconds) / 3600
	shell := ((runs-merges)*glueMinimum + merges*max(glueMinimum, f.SparkSeconds)) * shellDPU / 3600
	return []Line{
		{"Glue Spark jobs", spark, "DPU-hours", spark * p.GlueDPUHour},
		{"Glue Python shell jobs", shell, "DPU-hours", shell * p.GlueDPUHour},
	}
}
