package ack

import (
	"testing"

	core "k8s.io/api/core/v1"
)

func TestCredentialsFrom(t *testing.T) {
	const agent = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
	pod := func(variables ...string) Pod {
		p := Pod{}
		c := core.Container{Name: "controller"}
		for _, name := range variables {
			c.Env = append(c.Env, core.EnvVar{Name: name, Value: "x"})
		}
		p.Spec.Containers = []core.Container{c}
		return p
	}
	for name, c := range map[string]struct {
		env  Environment
		pods []Pod
		want Source
	}{
		"nothing":                          {want: FromAnnotation},
		"the webhook's variables in a pod": {pods: []Pod{pod("AWS_WEB_IDENTITY_TOKEN_FILE")}, want: FromAnnotation},
		"a token of its own":               {env: Environment{Values: map[string]string{"AWS_WEB_IDENTITY_TOKEN_FILE": "/t"}}, want: FromPod},
		"keys win over a token":            {env: Environment{Values: map[string]string{"AWS_WEB_IDENTITY_TOKEN_FILE": "/t"}, Hidden: []string{"AWS_ACCESS_KEY_ID"}}, want: FromKeys},
		"a file":                           {env: Environment{Values: map[string]string{"AWS_SHARED_CREDENTIALS_FILE": "/c"}}, want: FromKeys},
		"an empty file":                    {env: Environment{Values: map[string]string{"AWS_SHARED_CREDENTIALS_FILE": ""}}, want: FromAnnotation},
		"an agent put in":                  {pods: []Pod{pod(), pod(agent)}, want: FromAgent},
		"an agent in the Deployment":       {env: Environment{Values: map[string]string{agent: "http://x"}}, want: FromAgent},
	} {
		told := Told{Env: c.env, Pods: c.pods}
		told.Container.Name = "controller"
		if got := told.CredentialsFrom(); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}
