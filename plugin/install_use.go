package plugin

import (
	"fmt"

	"k8s.io/client-go/tools/clientcmd"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// use makes a namespace the current one of the kubeconfig, as `oc project`
// does, where the user asked for it: once all checks have passed, so that a
// project that is taken back is never the current one.
func (i *install) use(namespace string) error {
	if !i.request.Use {
		return nil
	}
	access := i.Getter.ToRawKubeConfigLoader().ConfigAccess()
	config, err := access.GetStartingConfig()
	if err == nil {
		context := config.Contexts[i.conn.Context()]
		if context == nil {
			err = fmt.Errorf("there is no context %q", i.conn.Context())
		} else {
			context.Namespace = namespace
			err = clientcmd.ModifyConfig(access, *config, false)
		}
	}
	if err != nil {
		return &problem.Error{
			Kind: problem.Failed,
			What: "cannot switch the kubeconfig to project " + namespace,
			Why:  err.Error(),
			Next: advice.Command("oc project", namespace) + ", then " + advice.Command("oc ostoy-s3 install", "-n", namespace),
			Err:  err,
		}
	}
	i.UI.Linef("kubeconfig context %s now uses project %s", i.conn.Context(), namespace)
	return nil
}
