package ack

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// startup says what keeps the controller's container from running: what the
// kubelet finds missing, then what the controller itself ends at (pkg/config/config.go of
// aws-controllers-k8s/runtime). STS is asked about the identity only with Config.Assume.
func (c *Controller) startup(ctx context.Context, pod *corev1.Pod, container *corev1.Container) (trouble, error) {
	env, missing, err := c.environment(ctx, pod, container)
	if err != nil || missing != "" {
		return trouble{config: missing}, err
	}
	line := refusal(flagsOf(container, env), env, container)
	if line == "" {
		line = c.unidentified(ctx, pod)
	}
	if line == "" {
		_, err := c.config.Cluster.Resource(Resource()).List(ctx, metav1.ListOptions{Limit: 1})
		switch {
		case apierrors.IsNotFound(err):
			line = failed(`no matches for kind "Bucket" in version "s3.services.k8s.aws/v1alpha1"`)
		case err != nil:
			return trouble{}, err
		}
	}
	return trouble{line: line}, nil
}

// refusal is the line the controller ends with, "" if it begins to work.
func refusal(flags, env map[string]string, container *corev1.Container) string {
	for _, name := range []string{"enable-development-logging", "enable-leader-election", "enable-carm", "enable-cross-namespace"} {
		value, given := flags[name]
		if _, err := strconv.ParseBool(value); given && err != nil {
			return fmt.Sprintf("invalid argument %q for \"--%s\" flag: %v", value, name, err)
		}
	}
	if value, given := flags["reconcile-default-max-concurrent-syncs"]; given {
		if _, err := strconv.ParseInt(value, 0, 64); err != nil {
			return fmt.Sprintf("invalid argument %q for \"--reconcile-default-max-concurrent-syncs\" flag: %v", value, err)
		}
	}
	for _, gate := range strings.Split(flags["feature-gates"], ",") {
		if gate != "" && !strings.Contains(gate, "=") {
			return failed("invalid value for flag 'feature-gates': invalid feature gate format: " + gate)
		}
	}
	for _, tag := range strings.Split(flags["resource-tags"], ",") {
		if tag != "" && !strings.Contains(tag, "=") {
			return failed("invalid resource tag: " + tag)
		}
	}
	region := flags["aws-region"]
	if region == "" {
		region = env["AWS_REGION"]
	}
	switch {
	case region == "":
		return failed("unable to start service controller as AWS region is missing. Please pass --aws-region flag or set AWS_REGION environment variable")
	case strings.HasPrefix(region, "$("):
		return failed("unable to determine account info: unable to get caller identity: operation error STS: GetCallerIdentity," +
			" failed to resolve service endpoint, endpoint rule error, Invalid Configuration: Missing Region")
	case !identity(env, container):
		return failed("unable to determine account info: unable to get caller identity: operation error STS: GetCallerIdentity," +
			" get identity: get credentials: failed to refresh cached credentials, no EC2 IMDS role found, operation error ec2imds: GetMetadata, request canceled, context deadline exceeded")
	}
	return ""
}

// identity: a role with a token that is mounted, or credentials.
func identity(env map[string]string, container *corev1.Container) bool {
	file := env["AWS_WEB_IDENTITY_TOKEN_FILE"]
	for _, mount := range container.VolumeMounts {
		if env["AWS_ROLE_ARN"] != "" && file != "" && strings.HasPrefix(file, strings.TrimSuffix(mount.MountPath, "/")+"/") {
			return true
		}
	}
	return env["AWS_SHARED_CREDENTIALS_FILE"] != "" || env["AWS_ACCESS_KEY_ID"] != "" && env["AWS_SECRET_ACCESS_KEY"] != ""
}

// environment is what the container starts with, or what the kubelet misses.
func (c *Controller) environment(ctx context.Context, pod *corev1.Pod, container *corev1.Container) (env map[string]string, missing string, err error) {
	env = map[string]string{}
	for _, from := range container.EnvFrom {
		var data map[string]string
		var what string
		var optional *bool
		switch {
		case from.ConfigMapRef != nil:
			what, optional = fmt.Sprintf("configmap %q not found", from.ConfigMapRef.Name), from.ConfigMapRef.Optional
			var found *corev1.ConfigMap
			if found, err = c.config.Client.CoreV1().ConfigMaps(pod.Namespace).Get(ctx, from.ConfigMapRef.Name, metav1.GetOptions{}); err == nil {
				data = found.Data
			}
		case from.SecretRef != nil:
			what, optional = fmt.Sprintf("secret %q not found", from.SecretRef.Name), from.SecretRef.Optional
			var found *corev1.Secret
			if found, err = c.config.Client.CoreV1().Secrets(pod.Namespace).Get(ctx, from.SecretRef.Name, metav1.GetOptions{}); err == nil {
				data = map[string]string{}
				for name, value := range found.Data {
					data[name] = string(value)
				}
			}
		}
		switch {
		case apierrors.IsNotFound(err) && (optional == nil || !*optional):
			return nil, what, nil
		case err != nil && !apierrors.IsNotFound(err):
			return nil, "", err
		}
		maps.Copy(env, data)
	}
	for _, variable := range container.Env {
		env[variable.Name] = expand(variable.Value, env)
	}
	return env, "", nil
}

// expand puts values for $(NAME); a name without a value stays as it is, which
// is what makes the controller end.
func expand(value string, env map[string]string) string {
	return regexp.MustCompile(`\$\([A-Za-z_][A-Za-z0-9_]*\)`).ReplaceAllStringFunc(value, func(reference string) string {
		if found, known := env[reference[2:len(reference)-1]]; known {
			return found
		}
		return reference
	})
}

// flagsOf are the container's arguments, by name.
func flagsOf(container *corev1.Container, env map[string]string) map[string]string {
	flags, last := map[string]string{}, ""
	for _, argument := range container.Args {
		argument = expand(argument, env)
		name, flag := strings.CutPrefix(argument, "--")
		switch name, value, given := strings.Cut(name, "="); {
		case !flag && last != "":
			flags[last], last = argument, ""
		case given:
			flags[name], last = value, ""
		case flag:
			flags[name], last = "true", name
		}
	}
	return flags
}
