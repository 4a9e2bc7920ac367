package world

import (
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// TestNeutralInventory: an inventory that a later run has marked compares like one
// that was written once.
func TestNeutralInventory(t *testing.T) {
	const (
		marked = `{"data":{"a":"b"},"metadata":{"annotations":{"ostoy-s3/replaces":"123"},"labels":{"l":"m"},"managedFields":[{"fieldsV1":{"f:data":{".":{}},"f:metadata":{"f:annotations":{"f:ostoy-s3/replaces":{}},"f:labels":{"f:l":{}}}}}]}}`
		plain  = `{"data":{"a":"b"},"metadata":{"labels":{"l":"m"},"managedFields":[{"fieldsV1":{"f:data":{".":{}},"f:metadata":{"f:labels":{"f:l":{}}}}}]}}`
	)
	if got := Neutral(&testbed.Bed{Options: testbed.Options{Issuer: "https://i"}}, "demo", marked); got != plain {
		t.Error(got)
	}
}
