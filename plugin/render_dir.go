package plugin

import (
	"cmp"
	"context"
	"fmt"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/folder"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/layout"
)

// keep makes a directory hold these files, or says which it would change.
// stdout has a line for each file that is not as it should be, as helm has one
// for each that it writes.
func (a *App) keep(ctx context.Context, request RenderRequest, files []layout.File) error {
	plan, err := folder.Look(request.OutputDir, files)
	if err != nil {
		return err
	}
	if request.Check {
		return a.compare(plan)
	}
	written, removed := 0, 0
	var unsaid error
	err = plan.Write(ctx, func(c folder.Change) {
		verb := "wrote"
		if c.State == folder.LeftOver {
			verb = "removed"
			removed++
		} else {
			written++
		}
		unsaid = cmp.Or(unsaid, a.WriteLine(verb+" "+plan.Name(c)))
	})
	if err = cmp.Or(err, unsaid); err != nil {
		return err
	}
	a.UI.Linef("%s: %d written, %d removed, %d unchanged", plan.Dir, written, removed, plan.Fresh)
	return nil
}

// keepTree keeps the directory of several clusters.
func (a *App) keepTree(ctx context.Context, request RenderRequest, all []rendered) error {
	var clusters []layout.Cluster
	for _, one := range all {
		clusters = append(clusters, layout.Cluster{Name: one.cluster, Header: header(one.facts), Objects: one.objects})
	}
	files, err := layout.Tree(clusters)
	if err != nil {
		return err
	}
	return a.keep(ctx, request, files)
}

// compare tells what is not as it should be, and ends with exit code 4 if
// anything is.
func (a *App) compare(plan folder.Plan) error {
	for _, change := range plan.Changes {
		if err := a.WriteLine(fmt.Sprintf("%-9s  %s", change.State, plan.Name(change))); err != nil {
			return err
		}
	}
	if len(plan.Changes) == 0 {
		a.UI.Linef("%s: %d files, all as they should be", plan.Dir, plan.Fresh)
		return nil
	}
	return &problem.Error{
		Kind: problem.Refused,
		What: fmt.Sprintf("%s is not what render makes", plan.Dir),
		Why:  fmt.Sprintf("files that are missing, stale or left over, as listed: %d; files as they should be: %d", len(plan.Changes), plan.Fresh),
		Next: "run the same command without --check, and commit what it changes",
	}
}
