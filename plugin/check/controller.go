package check

import "github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/live"

// controllerChecks are about the ACK S3 controller: whether it runs, as whom, and with what.
func controllerChecks(*live.World) []Check {
	return nil
}
