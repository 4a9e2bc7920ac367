package controller

import (
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/interrupt"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// origins says by what ours has come: by a Subscription, whatever has come of
// that so far, or by a chart.
func (f *Found) origins() (byOLM, byChart bool) {
	byOLM = f.Subscription() != nil
	for _, c := range f.Mine() {
		byOLM = byOLM || c.Installer == ack.OLM
		byChart = byChart || c.Installer != ack.OLM
	}
	return byOLM, byChart
}

// twice refuses a chart beside what OLM installed.
func (p *Plan) twice() error {
	return &problem.Error{
		Kind: problem.Refused,
		What: "the ACK S3 controller in " + p.found.Namespace + " was installed by OLM",
		Why:  "the chart would bring a second one, and both would see to the same Buckets",
		Next: "leave out --chart; or oc ostoy-s3 controller uninstall first, then the same command again",
	}
}

// chartless refuses to go on without the chart that ours came from.
func (p *Plan) chartless() error {
	return &problem.Error{
		Kind: problem.Usage,
		What: "the ACK S3 controller in " + p.found.Namespace + " comes from a chart",
		Why:  "without the chart it is not known what is to be there",
		Next: "the same command with " + advice.Command("--chart", operator.Chart) + ", or a chart that you pulled",
	}
}

// chartObjects are those of ACK's chart.
func (p *Plan) chartObjects(ctx context.Context, role string) ([]*unstructured.Unstructured, error) {
	if err := p.otherSubscription(); err != nil { // OLM would install a second controller
		return nil, err
	}
	p.Identity = p.chartIdentity()
	values := operator.ChartValues(p.facts, operator.Options{RoleARN: role, Identity: p.Identity})
	chart, facts := p.options.Chart, p.facts // what is abandoned shares nothing with p
	objects, err := interrupt.Run(ctx, 0, func() ([]*unstructured.Unstructured, error) {
		return chart.Objects(facts, operator.Release, values)
	})
	if err != nil {
		return nil, problem.While("the objects of --chart to be rendered", err)
	}
	if !slices.ContainsFunc(objects, ack.IsController) {
		return nil, &render.InputError{
			What: fmt.Sprintf("--chart: %s %s", p.options.Chart.Name(), p.options.Chart.Version()),
			Why:  "it holds no Deployment of the ACK S3 controller",
			Next: advice.Command("--chart", operator.Chart),
		}
	}
	objects, err = p.withoutDefinitionsOfOthers(ctx, objects)
	return objects, err
}

// chartIdentity is what the user says, or how the one that is there gets its role.
func (p *Plan) chartIdentity() operator.Identity {
	if p.options.Identity != "" {
		return p.options.Identity
	}
	mine := p.found.Mine()
	if len(mine) == 0 {
		if recorded := p.found.recordedIdentity(); recorded != "" {
			return recorded
		}
		return operator.Subscription
	}
	return p.found.deployedIdentity(mine[0])
}

// withoutDefinitionsOfOthers leaves definitions alone that others brought, as Helm
// does: some are shared by the controllers of all AWS services, and those of a
// release or a Subscription that was removed stay behind. With leave to take over
// what is somebody else's they are applied with the rest.
func (p *Plan) withoutDefinitionsOfOthers(ctx context.Context, objects []*unstructured.Unstructured) ([]*unstructured.Unstructured, error) {
	if p.options.ForceConflicts || p.options.ForceOwner {
		return objects, nil
	}
	var some []*unstructured.Unstructured
	for _, object := range objects {
		if !apply.RefOf(object).IsDefinition() {
			some = append(some, object)
			continue
		}
		there, err := p.found.World.Get(ctx, live.CRDs(), "", object.GetName())
		if err != nil {
			return nil, p.found.World.Conn.Translate(err)
		}
		if there == nil || apply.Ours(there) && apply.DeliveredBy(there) == "" {
			some = append(some, object)
			continue
		}
		p.Notes = append(p.Notes, "CustomResourceDefinition "+object.GetName()+" is there already, and others brought it: it is used as it is")
	}
	return some, nil
}
