package cluster

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// ErrNotConfigured says that there is no kubeconfig at all: no flag names one,
// none is where it usually is, and we do not run inside a cluster. A command
// that can do without a cluster goes on.
var ErrNotConfigured = errors.New("no kubeconfig")

// settings is what a kubeconfig and the flags over it say.
type settings struct {
	config    *rest.Config
	context   string
	namespace string
	explicit  bool   // the namespace is -n's
	source    string // of the namespace
}

// readSettings reads the kubeconfig and tells its faults apart: clientcmd
// alone would fall back to a server on localhost, or blame the wrong thing.
func readSettings(getter genericclioptions.RESTClientGetter) (settings, error) {
	loader := getter.ToRawKubeConfigLoader()
	if err := missingFiles(loader.ConfigAccess()); err != nil {
		return settings{}, err
	}
	raw, err := loader.RawConfig()
	if err != nil && !clientcmd.IsEmptyConfig(err) {
		return settings{}, usage("the kubeconfig cannot be read", oneLine(err.Error()), "mend the file, or name another with --kubeconfig", err)
	}
	s := settings{context: cmp.Or(flag(getter, contextFlag), raw.CurrentContext)}
	if err := s.checkContext(raw, flag(getter, serverFlag) != "", flag(getter, contextFlag) != ""); err != nil {
		return settings{}, err
	}
	if err := s.checkCluster(raw, getter); err != nil {
		return settings{}, err
	}
	if s.config, err = getter.ToRESTConfig(); err != nil {
		return settings{}, configFlaw(getter, s.context, err)
	}
	s.config = rest.CopyConfig(s.config)
	return s, s.readNamespace(loader, raw)
}

// missingFiles complains of a file that was named and is not there. Without
// any name there may be none: that is for checkContext to say.
func missingFiles(access clientcmd.ConfigAccess) error {
	named, how := []string{access.GetExplicitFile()}, "--kubeconfig names it"
	if named[0] == "" {
		list := os.Getenv(clientcmd.RecommendedConfigPathEnvVar)
		if list == "" {
			return nil
		}
		named, how = access.GetLoadingPrecedence(), "$KUBECONFIG names it"
	}
	var missing error
	for _, file := range named {
		if file == "" {
			continue
		}
		_, err := os.Stat(file)
		if err == nil {
			return nil // one of several is enough, as for kubectl
		}
		if errors.Is(err, fs.ErrNotExist) && missing == nil {
			missing = usage("kubeconfig "+file, "there is no such file ("+how+")", "name the right file, or log in: oc login", err)
		}
	}
	return missing
}

// checkContext makes sure that there is something to connect to.
func (s *settings) checkContext(raw clientcmdapi.Config, server, named bool) error {
	if raw.Contexts[s.context] != nil || server && !named || !named && inCluster() {
		return nil
	}
	contexts := slices.Sorted(maps.Keys(raw.Contexts))
	known := "it knows " + strings.Join(contexts, ", ")
	switch {
	case s.context != "" && len(contexts) > 0:
		return usage(fmt.Sprintf("context %q", s.context), "the kubeconfig has no such context; "+known, "name one of them with --context", nil)
	case s.context != "":
		return usage(fmt.Sprintf("context %q", s.context), "the kubeconfig has no contexts", "log in first: oc login", nil)
	case len(contexts) > 0:
		return usage("no context is chosen", "the kubeconfig has no current context; "+known,
			"choose one with --context, or permanently: "+advice.Command("oc config use-context", contexts[0]), nil)
	}
	return usage("no cluster is configured", "there is no kubeconfig", "log in first: oc login, or name a file with --kubeconfig", ErrNotConfigured)
}

// checkCluster refuses a cluster that is named and not described: client-go
// would go to localhost instead.
func (s *settings) checkCluster(raw clientcmdapi.Config, getter genericclioptions.RESTClientGetter) error {
	name, by := flag(getter, clusterFlag), "--cluster"
	if context := raw.Contexts[s.context]; context != nil && name == "" {
		name, by = context.Cluster, fmt.Sprintf("context %q", s.context)
	}
	if name == "" || raw.Clusters[name] != nil || flag(getter, serverFlag) != "" {
		return nil
	}
	return usage(fmt.Sprintf("cluster %q, named by %s", name, by), "the kubeconfig does not describe it",
		"mend it (oc config view shows it), or log in again: oc login", nil)
}

// readNamespace finds the namespace and what chose it.
func (s *settings) readNamespace(loader clientcmd.ClientConfig, raw clientcmdapi.Config) error {
	name, explicit, err := loader.Namespace()
	if err != nil {
		return configFlaw(nil, s.context, err)
	}
	s.namespace, s.explicit, s.source = name, explicit, "default"
	context := raw.Contexts[s.context]
	switch {
	case explicit:
		s.source = "flag"
	case context != nil && context.Namespace == name:
		s.source = "kubeconfig context " + s.context
	case context == nil && inCluster():
		s.source = "service account"
	}
	return nil
}

// inCluster is client-go's own test for running in a pod.
func inCluster() bool {
	_, err := rest.InClusterConfig()
	return err == nil
}

// The flags of kubectl that readSettings must know to be given.
const (
	contextFlag = "context"
	clusterFlag = "cluster"
	serverFlag  = "server"
)

// flag is the value of a connection flag, where the getter has flags.
func flag(getter genericclioptions.RESTClientGetter, name string) string {
	flags, ok := getter.(*genericclioptions.ConfigFlags)
	if !ok {
		return ""
	}
	value := map[string]*string{contextFlag: flags.Context, clusterFlag: flags.ClusterName, serverFlag: flags.APIServer}[name]
	return *cmp.Or(value, new(string))
}

// configFlaw is for what clientcmd finds wrong with the chosen context, or with a flag over
// it.
func configFlaw(getter genericclioptions.RESTClientGetter, context string, err error) error {
	if flaw := flagFlaw(getter, err); flaw != nil {
		return flaw
	}
	what := "the kubeconfig"
	if context != "" {
		what = fmt.Sprintf("context %q of the kubeconfig", context)
	}
	return usage(what, oneLine(err.Error()), "mend it (oc config view shows it), or log in again: oc login", err)
}

func usage(what, why, next string, err error) error {
	return problem.Input(what, why, next).Because(err)
}

// prepare makes a configuration ours, and takes its timeout out, which would
// also end watches.
func prepare(config *rest.Config, opts Options) (limit time.Duration) {
	config.UserAgent = "kubectl-ostoy_s3/" + cmp.Or(opts.Version, "dev")
	config.QPS = -1 // the server has its own priority and fairness
	config.WarningHandler = warnings(opts.Warn)
	if config.Dial == nil {
		config.Dial = (&net.Dialer{Timeout: dialLimit, KeepAlive: 30 * time.Second}).DialContext
	}
	limit, config.Timeout = config.Timeout, 0
	return limit
}

// warnings hands each text on once.
func warnings(warn func(string)) rest.WarningHandler {
	if warn == nil {
		return rest.NoWarnings{}
	}
	return &onceEach{warn: warn}
}

type onceEach struct {
	warn func(string)
	seen sync.Map
}

// HandleWarningHeader implements rest.WarningHandler; 299 is the code that
// the API server uses for what a person should read.
func (o *onceEach) HandleWarningHeader(code int, _, text string) {
	if code != 299 || text == "" {
		return
	}
	if _, seen := o.seen.LoadOrStore(text, true); !seen {
		o.warn(text)
	}
}
