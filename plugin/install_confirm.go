package plugin

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// Two things of a run need a confirmation, because they make readable what existed before
// it: it gives the app an S3 bucket with objects that no IAM role shows to be the
// project's, or it creates a Route or an Ingress where none led to the objects of an app
// that exists, or to Secrets that are not the chart's samples. A run that does neither
// asks nothing. What can be written in the project, inventory, annotations and the tags
// of the bucket, answers for nobody.

// confirmExposure asks before such a run. One that only looks shows what will be asked.
func (i *install) confirmExposure(ctx context.Context) error {
	about := i.aboutExposure(ctx)
	switch {
	case about == "":
		return nil
	case i.request.DryRun != DryRunNone:
		i.UI.Warn(about, "the installation itself asks for confirmation; a script needs --yes")
		return nil
	case i.request.Mode == ModeManual:
		i.UI.Warn(about, "the script does not ask for confirmation")
		return nil
	case i.request.Yes:
		return nil
	}
	return session.Question{About: about, Word: "yes", Flags: "--yes", Nothing: nothingChanged}.Confirm(ctx, i.UI, i.request.Ask)
}

// aboutExposure says what the run makes readable that existed before it, "" if nothing.
func (i *install) aboutExposure(ctx context.Context) string {
	if i.nothingToDo() {
		return ""
	}
	e := i.exposure()
	var about []string
	if text := i.exposesBucket(ctx, e); text != "" {
		about = append(about, text)
	}
	if names := i.exposesSecrets(e); len(names) > 0 {
		about = append(about, secretsNamed(names)+" may have real values (secrets.existing=true): "+e.who()+" will read them on OSToy's pages, without a password")
	}
	if len(about) == 0 {
		return ""
	}
	switch {
	case e.public() && e.managed:
		about = append(about, "--set expose=none keeps the app inside the cluster")
	case e.public():
		about = append(about, e.notManaged())
	}
	return strings.Join(about, "; ")
}

// exposesBucket says that the run gives the app an existing S3 bucket with objects, or
// creates the first Route or Ingress of an app with such a bucket. --adopt=bucket is your
// word for the first, unless a Route or an Ingress leads to the app. --adopt is not: it
// names no bucket, and the tutorial's objects, which anybody can apply, decide which one.
func (i *install) exposesBucket(ctx context.Context, e exposure) string {
	unproven := i.givesBucket(ctx)
	asked := e.public()
	if unproven == "" {
		asked = asked && i.bucketExists() && i.appExists() && !i.exposedAlready()
	} else {
		asked = asked || !i.request.Adopt.Bucket()
	}
	if !asked {
		return ""
	}
	inside := i.lookInside(ctx)
	if inside.Empty() {
		return ""
	}
	text := "the S3 bucket " + i.bucket.Name + " exists already and " + holds(inside)
	if unproven != "" {
		text = "the S3 bucket " + i.bucket.Name + " exists already (" + unproven + ") and " + holds(inside)
	}
	return text + ": " + e.who() + " will list, read, write and overwrite every object in it, without a password"
}

// exposesSecrets are the Secrets that the app will show behind a Route or an Ingress, and
// that it does not show there yet.
func (i *install) exposesSecrets(e exposure) []string {
	if !e.public() {
		return nil
	}
	if !i.exposedAlready() {
		return e.secrets
	}
	var running []*unstructured.Unstructured
	for _, item := range i.plan.Items {
		if item.Ref.Kind == "Deployment" && item.Live != nil {
			running = append(running, item.Live)
		}
	}
	shown := slices.Collect(maps.Keys(expectedSecrets(running)))
	return slices.DeleteFunc(slices.Clone(e.secrets), func(name string) bool { return slices.Contains(shown, name) })
}

// holds says how much is in a bucket that is not known to be empty.
func holds(inside bucket.Inside) string {
	switch {
	case inside.Contents == nil:
		why := "S3 did not list it"
		var told *problem.Error
		if errors.As(inside.Err, &told) {
			why = told.What
		}
		return "may have objects (not counted: " + why + ")"
	case inside.More:
		return "has more than " + amount(inside.Contents)
	}
	return "has " + amount(inside.Contents)
}
