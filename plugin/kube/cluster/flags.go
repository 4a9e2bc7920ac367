package cluster

import (
	"cmp"
	"fmt"
	"strings"

	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
)

// connectionFlags are the flags over a kubeconfig that can make a good one unusable, and
// where ConfigFlags has their values. Those that choose a context, a cluster or a
// namespace are looked at by themselves.
func connectionFlags() []connectionFlag {
	text := func(name, next string, at func(*genericclioptions.ConfigFlags) **string) connectionFlag {
		return connectionFlag{
			name, cmp.Or(next, correct(name)),
			func(f *genericclioptions.ConfigFlags) string { return *cmp.Or(*at(f), new(string)) },
			func(f *genericclioptions.ConfigFlags) { *at(f) = new(string) },
		}
	}
	list := func(name string, at func(*genericclioptions.ConfigFlags) **[]string) connectionFlag {
		return connectionFlag{
			name, correct(name),
			func(f *genericclioptions.ConfigFlags) string {
				return strings.Join(*cmp.Or(*at(f), new([]string)), ",")
			},
			func(f *genericclioptions.ConfigFlags) { *at(f) = new([]string) },
		}
	}
	return []connectionFlag{
		text("request-timeout", "give --request-timeout a number of seconds, or a number and its unit, such as 30s or 2m", func(f *genericclioptions.ConfigFlags) **string { return &f.Timeout }),
		text("user", "give --user the name of a user of the kubeconfig (oc config get-users lists them), or leave it out", func(f *genericclioptions.ConfigFlags) **string { return &f.AuthInfoName }),
		text("server", "give --server the URL of the API server, or leave it out", func(f *genericclioptions.ConfigFlags) **string { return &f.APIServer }),
		text("certificate-authority", "", func(f *genericclioptions.ConfigFlags) **string { return &f.CAFile }),
		text("tls-server-name", "", func(f *genericclioptions.ConfigFlags) **string { return &f.TLSServerName }),
		text("client-certificate", "", func(f *genericclioptions.ConfigFlags) **string { return &f.CertFile }),
		text("client-key", "", func(f *genericclioptions.ConfigFlags) **string { return &f.KeyFile }),
		text("token", "", func(f *genericclioptions.ConfigFlags) **string { return &f.BearerToken }),
		text("as-uid", "give --as as well, or leave --as-uid out", func(f *genericclioptions.ConfigFlags) **string { return &f.ImpersonateUID }),
		list("as-group", func(f *genericclioptions.ConfigFlags) **[]string { return &f.ImpersonateGroup }),
		list("as-user-extra", func(f *genericclioptions.ConfigFlags) **[]string { return &f.ImpersonateUserExtra }),
		text("as", "", func(f *genericclioptions.ConfigFlags) **string { return &f.Impersonate }),
	}
}

func correct(name string) string { return "correct " + advice.Words("--"+name) + ", or leave it out" }

// connectionFlag is one of them.
type connectionFlag struct {
	name, next string
	value      func(*genericclioptions.ConfigFlags) string
	unset      func(*genericclioptions.ConfigFlags)
}

// secret reports whether its value is not to be repeated.
func (f connectionFlag) secret() bool { return f.name == "token" }

// flagFlaw is the error for a flag without which the kubeconfig is good, nil if there is
// none.
func flagFlaw(getter genericclioptions.RESTClientGetter, cause error) error {
	flags, ok := getter.(*genericclioptions.ConfigFlags)
	if !ok {
		return nil
	}
	for _, one := range connectionFlags() {
		value := one.value(flags)
		if value == "" {
			continue
		}
		without := copied(flags)
		one.unset(without)
		if usable(without) != nil {
			continue
		}
		what := fmt.Sprintf("invalid --%s %q", one.name, value)
		if one.secret() {
			what = "invalid --" + one.name
		}
		return usage(what, oneLine(cause.Error()), one.next, cause)
	}
	return nil
}

// usable is why no client can be made of what the flags and the kubeconfig say. It sends
// nothing.
func usable(flags *genericclioptions.ConfigFlags) error {
	config, err := flags.ToRESTConfig()
	if err != nil {
		return err
	}
	client, err := rest.HTTPClientFor(config)
	if err == nil {
		_, err = discovery.NewDiscoveryClientForConfigAndClient(config, client)
	}
	return err
}

// copied are flags with the same values, of which one can be unset.
func copied(f *genericclioptions.ConfigFlags) *genericclioptions.ConfigFlags {
	c := genericclioptions.NewConfigFlags(false)
	c.KubeConfig, c.ClusterName, c.AuthInfoName, c.Context, c.Namespace = f.KubeConfig, f.ClusterName, f.AuthInfoName, f.Context, f.Namespace
	c.APIServer, c.TLSServerName, c.Insecure = f.APIServer, f.TLSServerName, f.Insecure
	c.CertFile, c.KeyFile, c.CAFile, c.BearerToken = f.CertFile, f.KeyFile, f.CAFile, f.BearerToken
	c.Impersonate, c.ImpersonateUID, c.ImpersonateGroup, c.ImpersonateUserExtra = f.Impersonate, f.ImpersonateUID, f.ImpersonateGroup, f.ImpersonateUserExtra
	c.Timeout, c.DisableCompression = f.Timeout, f.DisableCompression
	return c
}
