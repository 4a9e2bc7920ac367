package advice

import "testing"

// TestNewController: whatever the pattern is, the printed command is one command, and
// it has the flag without which a new role is refused.
func TestNewController(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{NewController(""), "oc ostoy-s3 controller install --bucket-pattern 'ostoy-*-bucket'"},
		{NewController("team-*-bucket"), "oc ostoy-s3 controller install --bucket-pattern 'team-*-bucket'"},
		{NewController("x'; rm -rf ~ #"), `oc ostoy-s3 controller install --bucket-pattern 'x'\''; rm -rf ~ #'`},
		{ControllerFor("demo"), "a cluster admin installs it: oc ostoy-s3 controller install --bucket-pattern demo-bucket\n" +
			"or together with the app: install with --with-controller --bucket-pattern demo-bucket"},
		{ControllerFor("ostoy-3f9a1c20"), "a cluster admin installs it: oc ostoy-s3 controller install --bucket-pattern 'ostoy-*-bucket'\n" +
			"or together with the app: install with --with-controller --bucket-pattern 'ostoy-*-bucket'"},
	} {
		if c.got != c.want {
			t.Errorf("%s\nwant %s", c.got, c.want)
		}
	}
}
