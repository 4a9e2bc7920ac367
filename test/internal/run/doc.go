// Package run builds the executable once for a package of tests and runs it as
// a user would: with the bed's environment and nothing else, an empty HOME, and
// a kubeconfig of the person who is played. What it prints and how it ends is
// all a test sees of it. It never calls the plugin's packages.
//
//	func TestMain(m *testing.M) { os.Exit(run.Main(m)) }
//	...
//	admin := run.Admin(bed)
//	result := admin.Run(t, "install", "-n", "demo")
//	result.WantCode(t, 0)
//
// Where a test must reach into the run (signals, a slow reader), User.Command
// gives the same run as an exec.Cmd.
package run
