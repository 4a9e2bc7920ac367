package plugin

import (
	"context"
	"errors"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/verify"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// prove is verify as the last step: one line on the board, unless something is
// wrong.
func (i *install) prove(ctx context.Context, url string) error {
	const line = "verified"
	config := i.found.AWS.Config
	namespace := i.facts.Namespace.Value
	report, err := verify.Run(ctx, verify.Target{
		Namespace: namespace, Flags: i.proofFlags(), Audience: i.facts.Audience.Value, Region: i.facts.Region.Value,
		Way:  verify.Way{URL: url, Forward: forwarder(i.conn, namespace)},
		Conn: i.conn, AWS: config, CallerAccount: i.facts.Account.Value,
		Account: i.facts.Account.Value, Partition: i.facts.Partition.Value,
		Role: func(context.Context, string, render.ARN) (render.ARN, error) {
			return render.ParseARNOf(i.role.Role.ARN, "iam", "role")
		},
	}, verify.Options{
		Patience: patience(ctx),
		Settling: !i.role.Empty() || i.request.IAM == IAMSkip, // whoever made the role may have done so a moment ago
		Applied:  true,
		Policy:   i.role.Role.PolicyARN,
		AsIs:     i.adopted.asIs,
		Narrow:   i.narrow(),
		Foreseen: foreseen(i.outlook),
		Cure:     i.cure,
		Given:    i.givenTo(),
	}, func(e verify.Event) {
		switch {
		case e.Waiting && e.Again:
			i.board.Glimpse(line, ui.Warned, inLine(e.Text))
		case e.Waiting:
			i.board.Set(line, ui.Warned, inLine(e.Text))
		case e.Report == nil:
			i.board.Glimpse(line, ui.Busy, string(e.Level))
		case e.Report.Outcome == verify.Failed, e.Report.Outcome == verify.NotVerified && !e.Report.ByChoice():
			i.board.Set(line, ui.Failed, inLine(string(e.Level)+": "+e.Text))
		}
	})
	if err == nil {
		i.proof = &report
		if mark := ui.Done; report.Err() == nil {
			if !report.Verified { // in part, because the user chose a wider role
				mark = ui.Warned
			}
			i.board.Conclude(line, mark, report.Summary())
		}
	}
	i.tellSurroundings(report)
	const note = "applied, not verified"
	var told *problem.Error
	if errors.As(err, &told) {
		return &problem.Several{Problems: []*problem.Error{told}, Note: note}
	}
	if err != nil {
		return err
	}
	return unproven(report, note)
}

// proofFlags are the flags of this run that commands in messages repeat.
func (i *install) proofFlags() verify.Flags {
	flags := verifyFlags(i.request.Facts, i.typedRole())
	if i.request.IAM == IAMSkip {
		flags = append(flags, verify.IAMSkip())
	}
	return flags
}

// narrow is the command that narrows a role that is used as it is, "" for any other.
func (i *install) narrow() string {
	if !i.adopted.asIs {
		return ""
	}
	return i.tighten()
}

// givenTo is madeByOthers for verify.Options.
func (i *install) givenTo() func(verify.Flags) string {
	given := i.madeByOthers()
	if given == "" {
		return nil
	}
	return func(verify.Flags) string { return given }
}
