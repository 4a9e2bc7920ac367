package plugin

import (
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/controller"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/detect"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/interrupt"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/olm"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// ControllerRenderRequest is what is to be printed of a controller.
type ControllerRenderRequest struct {
	Facts    FactsRequest
	Role     ControllerRoleRequest
	Version  string
	Identity string
	Chart    string
	Values   bool // the values for ACK's chart, also where there is OLM
}

// ControllerRender prints to stdout what brings the controller: the objects for
// OLM; those of ACK's chart, where it is given; or else the values for it.
func (a *App) ControllerRender(ctx context.Context, request ControllerRenderRequest) error {
	found, err := a.controllerFacts(ctx, request.Facts)
	if err != nil {
		return err
	}
	facts := found.Facts
	// What the role may do is not in the objects: its ARN is.
	arn, err := iam.ControllerRoleARN(facts, a.usualControllerRole(ctx, found, request.Role))
	if err != nil {
		return err
	}
	options := operator.Options{RoleARN: arn, Identity: operator.Identity(request.Identity), OperatorGroup: true, Namespace: true}
	if err := operator.Validate(facts, options); err != nil {
		return err
	}
	switch {
	case request.Values || request.Chart == "" && !hasOLM(facts):
		return a.printValues(facts, options)
	case request.Chart != "":
		return a.printChart(ctx, request, facts, options)
	}
	return a.printOperator(ctx, request, facts, options)
}

// hasOLM reports whether a cluster has the Operator Lifecycle Manager: OpenShift
// does, also where only its kind is known and not what it serves.
func hasOLM(f render.Facts) bool {
	openShift := []string{render.PlatformOpenShift, render.PlatformROSAClassic, render.PlatformROSAHCP}
	return slices.Contains(f.APIVersions.Values, "operators.coreos.com/v1alpha1") || slices.Contains(openShift, f.Platform.Value)
}

// controllerFacts are those of render, for the controller's namespace.
func (a *App) controllerFacts(ctx context.Context, request FactsRequest) (detect.Result, error) {
	given, err := a.Given(ctx, request)
	if err != nil {
		return detect.Result{}, err
	}
	namespace, err := controllerNamespace(request)
	if err != nil {
		return detect.Result{}, err
	}
	result, err := a.detectForController(ctx, given, request.Profile, a.connector(ctx), detect.AskNeeded)
	if err != nil {
		return result, err
	}
	if err := result.Require(); err != nil {
		return result, err
	}
	if err := result.Facts.Validate(); err != nil {
		return result, err
	}
	result.Facts.Namespace = namespace
	return result, nil
}

func (a *App) printValues(f render.Facts, options operator.Options) error {
	text, err := yaml.Marshal(operator.ChartValues(f, options))
	if err != nil {
		return fmt.Errorf("write values: %w", err)
	}
	return a.WriteData(fmt.Sprintf(`# Values for ACK's own chart of the S3 controller, as printed by: %s
#
#   %s
#
# The role %s
# is not made by that: %s makes it.
%s%s`, advice.Command("oc ostoy-s3 controller render"), helmInstall(f, "", "-f", "values.yaml"), options.RoleARN, advice.Command("oc ostoy-s3 controller install"), besideValues(f), text))
}

func (a *App) printChart(ctx context.Context, request ControllerRenderRequest, f render.Facts, options operator.Options) error {
	chart, err := fetchChart(ctx, request.Chart, request.Version)
	if err != nil {
		return err
	}
	objects, err := interrupt.Run(ctx, 0, func() ([]*unstructured.Unstructured, error) {
		return chart.Objects(f, operator.Release, operator.ChartValues(f, options))
	})
	if err != nil {
		return err
	}
	head := fmt.Sprintf(`# The ACK S3 controller by the chart %s %s, as printed by: %s
#
# The role %s
# is not among the objects: %s makes it.
`, plain.Line(chart.Name()), advice.Version(chart.Version()), advice.Command("oc ostoy-s3 controller render"), options.RoleARN, advice.Command("oc ostoy-s3 controller install"))
	return a.printObjects(head+noPolicy(f), append(renderAccess(f), objects...))
}

func (a *App) printOperator(ctx context.Context, request ControllerRenderRequest, f render.Facts, options operator.Options) error {
	options.Catalog, options.CatalogNamespace = olm.Community, olm.Marketplace
	options.StartingCSV = controller.CSVOf(request.Version)
	if request.Version == "" {
		choice, err := a.newest(ctx)
		if err != nil {
			return err
		}
		options.Catalog, options.CatalogNamespace, options.StartingCSV = choice.Catalog, choice.CatalogNamespace, choice.CSV
	}
	objects, err := operator.Objects(f, options)
	if err != nil {
		return err
	}
	plans := []string{"installplans.operators.coreos.com"}
	head := fmt.Sprintf(`# The ACK S3 controller by OLM, as printed by: %[4]s
#
# Leave out the OperatorGroup where namespace %[1]s has one already. OLM then
# plans the installation, and waits until somebody approves the InstallPlan that
# names %[2]s, and no other:
#   %[6]s
#   %[7]s
# The role %[3]s
# is not among the objects: %[5]s makes it, and does all of this.
`, f.Namespace.Value, advice.Version(options.StartingCSV), options.RoleARN, advice.Command("oc ostoy-s3 controller render"), advice.Command("oc ostoy-s3 controller install"),
		advice.Command("oc get", append(plans, "-n", f.Namespace.Value)...),
		advice.MergePatch(map[string]any{"spec": map[string]any{"approved": true}}, append(plans, "NAME", "-n", f.Namespace.Value)...))
	objects = append(renderAccess(f), objects...)
	render.Sort(objects)
	return a.printObjects(head+noPolicy(f), objects)
}

// newest asks the cluster's catalogs for the newest version they have.
func (a *App) newest(ctx context.Context) (olm.Choice, error) {
	conn, err := a.Connect(ctx)
	if err != nil {
		return olm.Choice{}, err
	}
	offers, err := controller.Offers(ctx, conn)
	if err != nil {
		return olm.Choice{}, &problem.Error{
			Kind: problem.Failed, What: "which versions of the controller there are cannot be read from the cluster",
			Why: conn.Translate(err).Error(), Next: "name one with --version, for example --version 1.13.0", Err: err,
		}
	}
	return olm.Choose(offers, operator.Package, "")
}

func (a *App) printObjects(head string, objects []*unstructured.Unstructured) error {
	text, err := render.YAML(objects)
	if err != nil {
		return err
	}
	return a.WriteData(head + string(text))
}
