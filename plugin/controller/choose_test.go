package controller

import (
	"errors"
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// TestMayChoose: a version or an upgrade that this run cannot bring about is refused.
func TestMayChoose(t *testing.T) {
	for name, c := range map[string]struct {
		mode    Mode
		options Options
		says    string // "": it may
	}{
		"used":              {Used, Options{}, ""},
		"used, a version":   {Used, Options{Version: "9.9.9"}, "--version 9.9.9 cannot be done: the ACK S3 controller of this cluster is not managed by ostoy-s3"},
		"used, an upgrade":  {Used, Options{Upgrade: true}, "--upgrade cannot be done"},
		"used, both":        {Used, Options{Upgrade: true, Version: "9.9.9"}, "--version 9.9.9 cannot be done"},
		"OLM, a version":    {ByOLM, Options{Version: "9.9.9", Upgrade: true}, ""},
		"Helm, a version":   {ByHand, Options{Version: "9.9.9"}, ""},
		"Helm, an upgrade":  {ByHand, Options{Upgrade: true}, "--upgrade changes nothing here"},
		"Helm, nothing new": {ByHand, Options{}, ""},
	} {
		err := mayChoose(&Plan{Mode: c.mode, basis: basis{options: c.options}})
		var told *problem.Error
		switch {
		case c.says == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.says != "" && (!errors.As(err, &told) || told.Kind != problem.Refused || !strings.Contains(told.What, c.says)):
			t.Errorf("%s: %v", name, err)
		}
	}
}
