package plugin

import (
	"context"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/differ"
)

// tightens reports whether the role that was there before changes in this run.
func (i *install) tightens() bool { return i.request.Role.Tighten && !i.role.Empty() }

// showTightening prints what of the role changes, before anybody is asked about it.
func (i *install) showTightening() error {
	if !i.tightens() {
		return nil
	}
	return i.UI.Patch(string(differ.Unified(rolePairs(i.role))))
}

// mayTighten asks before rights are taken from a role that this tool did not make.
func (i *install) mayTighten(ctx context.Context) error {
	if !i.tightens() || i.request.Yes {
		return nil
	}
	return session.Question{
		About: "--tighten-role takes rights from the role " + i.role.Role.Label() + ", which this tool did not make", Word: "yes",
		Flags: "--yes", Nothing: nothingChanged,
	}.Confirm(ctx, i.UI, i.request.Ask)
}
