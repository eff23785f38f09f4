--- The operations that cost credits, besides starting a job of any kind: those for which the API's documentation
-- mentions a charge, and those that make the service evaluate, run or generate something.

return {
  ["calls.send"] = true,
  ["calls.evaluate_metrics"] = true,
  ["failure_mode_insights.bulk_generate"] = true,
  ["failure_mode_insights.generate_scenario"] = true,
  ["failure_mode_insights.reproduce"] = true,
  ["metrics.generate_clean_description"] = true,
  ["metrics.generate_evaluation_trigger"] = true,
  ["results.evaluate_metrics"] = true,
  ["results.rerun"] = true,
}
