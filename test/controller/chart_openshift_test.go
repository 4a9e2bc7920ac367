package controller_test

import "testing"

// TestChartOnOpenShift: a chart that is named is used, though there is OLM, and
// never beside what OLM has brought, or the other way around.
func TestChartOnOpenShift(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.install(t, "--chart", theChart(t)).WantTalk(t, "+ chart     s3-chart 1.10.0", "1 of 1 available")
	s.wantIdentity(t)
	s.install(t, "--chart", theChart(t)).WantTalk(t, "nothing to change")
	s.Admin.Run(t, "controller", "install", "--bucket-pattern", "*-bucket").WantCode(t, misused).WantTalk(t, "comes from a chart", "--chart oci://")
	s.Admin.Run(t, "controller", "uninstall").WantCode(t, done)
	s.wantNothingOfAChart(t)

	s.install(t)
	s.Admin.Run(t, "controller", "install", "--bucket-pattern", "*-bucket", "--chart", theChart(t)).WantCode(t, refused).WantTalk(t, "was installed by OLM", "a second one", "leave out --chart")
	s.install(t).WantTalk(t, "nothing to change")
}
