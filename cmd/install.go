package cmd

import (
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	controllerinstall "github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/controller/install"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/install"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/plan"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
)

const installLong = `Makes the bucket, the role and the app, waits until they are ready, and proves that
they work (see verify). It can be repeated: what is as it should be is left alone, what was changed is put back.

  oc ostoy-s3 install --new-project             in a new project with a free name
  oc ostoy-s3 install --new-project=demo        in a new project of that name
  oc ostoy-s3 install -n demo --dry-run=server  what would be done
  oc ostoy-s3 install -n demo --mode manual     the commands that do it, as a script
  oc ostoy-s3 install -n demo --adopt           bring in what the ROSA tutorial made by hand

The URL of the app goes to stdout, everything else to stderr.`

func newInstallCommand(s *program) *cobra.Command {
	request, beside := install.Request{}, besideFlags{}
	c := newCommand("install [--new-project [NAME]]", "Make bucket, role and app; repeatable", installLong, func(c *cobra.Command) error {
		if err := checkInstall(c, request, beside); err != nil {
			return err
		}
		if request.Mode == install.ModeManual {
			if err := checkManual(c, &request, beside); err != nil {
				return err
			}
		}
		request.ExternalDiff = externalDiff(s)
		request.Ask = asker(s)
		if beside.with {
			request.Controller = beside.controller(s, request)
		}
		return install.Run(c.Context(), s.session, request)
	})
	c.Args = func(c *cobra.Command, args []string) error { return projectName(c, &request, args) }
	newFacts(s, c, &request.Facts).add(c.Flags())
	addChartAgain(&request.Chart, c.Flags())
	addRole(&request.Role, c.Flags())
	addOutput(c, &request.Output, "", "json")
	addInstall(&request, c)
	beside.add(c.Flags())
	return c
}

func addInstall(request *install.Request, c *cobra.Command) {
	flags := c.Flags()
	flags.StringVar(&request.ProjectName, "new-project", "", "make the project first; without a name, one whose bucket name is free")
	flags.Lookup("new-project").NoOptDefVal = install.AnyProject
	flags.BoolVar(&request.Use, "use", false, "make the new project the kubeconfig context's namespace")
	addDryRun(c, &request.DryRun)
	flags.StringVar((*string)(&request.Mode), "mode", string(install.ModeAuto), "auto (do it) or manual (print the commands that do it, and do nothing)")
	first(c, func() error {
		if !request.Mode.Known() {
			return usage(c, "--mode is auto or manual")
		}
		return nil
	})
	flags.BoolVar(&request.Wait, "wait", true, "wait until everything is ready")
	flags.BoolVar(&request.Verify, "verify", true, "at the end, verify the app's access to its bucket and that other access is refused")
	addTimeout(c, &request.Timeout, 10*time.Minute)
	flags.BoolVar(&request.Diff, "diff", false, "print what changes as a diff before anything is done (see diff)")
	addForceConflicts(&request.ForceConflicts, flags)
	addForceOwner(&request.ForceOwner, flags)
	addIAM(&request.IAM, flags)
	addTutorial(&request.Adopt, &request.Role.Adopt, &request.Tighten, c)
	flags.BoolVarP(&request.Yes, "yes", "y", false, "do not ask for confirmation; needed in a script where install would ask")
}

// besideFlags are about the controller that is installed with the app.
type besideFlags struct {
	with, anyBucket bool
	pattern         string
}

func (b *besideFlags) add(flags *pflag.FlagSet) {
	flags.BoolVar(&b.with, "with-controller", false, "install the ACK S3 controller first, where there is none (see controller install); for cluster admins")
	flags.StringVar(&b.pattern, "bucket-pattern", "", "with --with-controller: "+bucketPatternUsage)
	flags.BoolVar(&b.anyBucket, "allow-any-bucket", false, "with --with-controller: "+allowAnyBucketUsage)
}

// controller is what controller install would do with the flags of install.
func (b *besideFlags) controller(s *program, r install.Request) install.Controller {
	return controllerinstall.Beside(s.session, controllerinstall.Request{
		Facts: r.Facts, DryRun: r.DryRun, Timeout: r.Timeout, ForceConflicts: r.ForceConflicts, ForceOwner: r.ForceOwner,
		Role: iam.ControllerOptions{BucketPattern: b.pattern}, AllowAnyBucket: b.anyBucket, Ask: r.Ask, Yes: r.Yes,
	})
}

// projectName allows the name of a new project as a word of its own, as in
// `oc new-project NAME`.
func projectName(c *cobra.Command, request *install.Request, args []string) error {
	if len(args) == 1 && request.ProjectName == install.AnyProject {
		request.ProjectName = args[0]
		return nil
	}
	return noArgs(c, args)
}

// checkInstall holds flags against each other and against what they may be.
func checkInstall(c *cobra.Command, request install.Request, beside besideFlags) error {
	switch {
	case request.ProjectName != "" && c.Flags().Changed("namespace"):
		return usage(c, "--new-project and --namespace name two projects; give one of them")
	case request.Use && request.ProjectName == "":
		return usage(c, "--use goes with --new-project")
	case request.IAM == plan.IAMSkip && request.ProjectName == install.AnyProject:
		return usage(c, "--iam=skip needs the name of the project: a role is made for one of that name")
	case request.IAM == plan.IAMSkip && beside.with:
		return usage(c, "--with-controller makes the controller's role; with --iam=skip nothing is written to IAM. Let oc ostoy-s3 controller install come first")
	case request.ProjectName == "" && c.Flags().Changed("new-project"):
		return usage(c, "--new-project needs a name behind =, or none of both")
	case (beside.pattern != "" || beside.anyBucket) && !beside.with:
		return usage(c, "--bucket-pattern and --allow-any-bucket are about the controller: they can only be used with --with-controller")
	case request.Adopt.Tutorial() && request.ProjectName != "":
		return usage(c, "--adopt brings in what is in a project, and a new one has nothing; give -n PROJECT")
	}
	return checkRole(c, request.Adopt, request.Tighten, request.IAM, request.Role)
}

// checkManual refuses what --mode manual cannot mean, and notes by which flags the
// printed commands get to the cluster.
func checkManual(c *cobra.Command, request *install.Request, beside besideFlags) error {
	switch {
	case request.DryRun != session.DryRunNone:
		return usage(c, "--mode manual changes nothing by itself: leave out --dry-run")
	case request.Output != "":
		return usage(c, "--mode manual prints a script; -o "+string(request.Output)+" is the result of a run")
	case beside.with:
		return usage(c, "--mode manual is for the app; the controller comes first: "+advice.NewController(beside.pattern)+", or what controller render prints")
	}
	flags, other := clusterFlags(c)
	if other != "" {
		return usage(c, "--mode manual prints commands for a kubeconfig and a context of it: name them by --kubeconfig and --context instead of --"+other)
	}
	request.ToolFlags, request.Again = flags, typedAgain(c)
	return nil
}

// typedAgain are the flags that were typed, for the same command in the project that it has
// created then.
func typedAgain(c *cobra.Command) (typed []string) {
	once := []string{"new-project", "use", "v"}
	c.Flags().Visit(func(f *pflag.Flag) {
		if !slices.Contains(once, f.Name) {
			typed = append(typed, asTyped(f)...)
		}
	})
	return typed
}

// asTyped is a flag with its values, each as one word.
func asTyped(f *pflag.Flag) (words []string) {
	values := []string{f.Value.String()}
	if several, ok := f.Value.(pflag.SliceValue); ok {
		values = several.GetSlice()
	} else if f.Value.Type() == "stringToString" {
		values = []string{strings.Trim(f.Value.String(), "[]")}
	}
	for _, value := range values {
		words = append(words, "--"+f.Name+"="+value)
	}
	return words
}

// clusterFlags are those of kubectl's flags that were typed and that say which
// cluster is meant and as whom, to be typed again; other is one that belongs in a
// kubeconfig, empty if there is none: tokens and keys are not to be printed.
func clusterFlags(c *cobra.Command) (typed []string, other string) {
	again := []string{"kubeconfig", "context", "as", "as-group", "as-uid", "as-user-extra"}
	ours := []string{"namespace", "request-timeout", "cache-dir", "disable-compression", "v"}
	inherited := c.InheritedFlags()
	c.Flags().Visit(func(f *pflag.Flag) {
		switch {
		case inherited.Lookup(f.Name) == nil || slices.Contains(ours, f.Name):
		case slices.Contains(again, f.Name):
			typed = append(typed, asTyped(f)...)
		default:
			other = f.Name
		}
	})
	return typed, other
}
