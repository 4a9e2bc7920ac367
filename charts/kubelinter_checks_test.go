package charts_test

import (
	"regexp"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"
)

func podProperties() map[string]property {
	hostPath := func(spec *corev1.PodSpec) {
		spec.Volumes = append(spec.Volumes, corev1.Volume{VolumeSource: corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/var/run/docker.sock"}}})
	}
	noHostPath := func(spec corev1.PodSpec) bool {
		return !slices.ContainsFunc(spec.Volumes, func(v corev1.Volume) bool { return v.HostPath != nil })
	}
	return map[string]property{
		"docker-sock":           pods(noHostPath, hostPath),
		"sensitive-host-mounts": pods(noHostPath, hostPath),
		"host-ipc": pods(func(spec corev1.PodSpec) bool { return !spec.HostIPC },
			func(spec *corev1.PodSpec) { spec.HostIPC = true }),
		"host-network": pods(func(spec corev1.PodSpec) bool { return !spec.HostNetwork },
			func(spec *corev1.PodSpec) { spec.HostNetwork = true }),
		"host-pid": pods(func(spec corev1.PodSpec) bool { return !spec.HostPID },
			func(spec *corev1.PodSpec) { spec.HostPID = true }),
		"unsafe-sysctls": pods(func(spec corev1.PodSpec) bool { return len(spec.SecurityContext.Sysctls) == 0 },
			func(spec *corev1.PodSpec) {
				spec.SecurityContext.Sysctls = []corev1.Sysctl{{Name: "kernel.msgmax", Value: "1"}}
			}),
		"deprecated-service-account-field": pods(
			func(spec corev1.PodSpec) bool { return spec.DeprecatedServiceAccount == "" },
			func(spec *corev1.PodSpec) { spec.DeprecatedServiceAccount = "ostoy-sa" }),
		// The check also accepts a pod that states it for all its containers.
		"run-as-non-root": containers(func(c corev1.Container) bool {
			s := c.SecurityContext
			return isTrue(s.RunAsNonRoot) && notZero(s.RunAsUser) && notZero(s.RunAsGroup)
		}, func(c *corev1.Container) { c.SecurityContext.RunAsNonRoot = nil }),
	}
}

func containerProperties() map[string]property {
	blocked := regexp.MustCompile(`.*:(latest)$|^[^:]*$|(.*/[^:]+)$`) // latest-tag's BlockList
	return map[string]property{
		"no-read-only-root-fs": containers(func(c corev1.Container) bool { return isTrue(c.SecurityContext.ReadOnlyRootFilesystem) },
			func(c *corev1.Container) { c.SecurityContext.ReadOnlyRootFilesystem = nil }),
		"privileged-container": containers(func(c corev1.Container) bool { return !isTrue(c.SecurityContext.Privileged) },
			func(c *corev1.Container) { c.SecurityContext.Privileged = new(true) }),
		"privilege-escalation-container": containers(func(c corev1.Container) bool {
			escalates := c.SecurityContext.AllowPrivilegeEscalation
			return escalates != nil && !*escalates && len(c.SecurityContext.Capabilities.Add) == 0
		}, func(c *corev1.Container) { c.SecurityContext.AllowPrivilegeEscalation = nil }),
		"drop-net-raw-capability": containers(func(c corev1.Container) bool {
			drop := c.SecurityContext.Capabilities.Drop
			return slices.Contains(drop, "ALL") || slices.Contains(drop, "NET_RAW")
		}, func(c *corev1.Container) { c.SecurityContext.Capabilities.Drop = nil }),
		"duplicate-env-var": containers(func(c corev1.Container) bool {
			names := map[string]bool{}
			for _, v := range c.Env {
				names[v.Name] = true
			}
			return len(names) == len(c.Env)
		}, func(c *corev1.Container) { c.Env = append(c.Env, corev1.EnvVar{Name: "A"}, corev1.EnvVar{Name: "A"}) }),
		"env-var-secret": containers(func(c corev1.Container) bool {
			return !slices.ContainsFunc(c.Env, func(v corev1.EnvVar) bool {
				return strings.Contains(strings.ToLower(v.Name), "secret") && v.Value != ""
			})
		}, func(c *corev1.Container) { c.Env = append(c.Env, corev1.EnvVar{Name: "MY_SECRET", Value: "x"}) }),
		"latest-tag": containers(func(c corev1.Container) bool { return !blocked.MatchString(c.Image) },
			func(c *corev1.Container) { c.Image = "quay.io/ostoylab/ostoy-frontend" }),
		"unset-cpu-requirements": containers(func(c corev1.Container) bool { return !c.Resources.Requests.Cpu().IsZero() },
			func(c *corev1.Container) { delete(c.Resources.Requests, corev1.ResourceCPU) }),
		"unset-memory-requirements": containers(func(c corev1.Container) bool { return !c.Resources.Limits.Memory().IsZero() },
			func(c *corev1.Container) { delete(c.Resources.Limits, corev1.ResourceMemory) }),
	}
}

func portProperties() map[string]property {
	probe := &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Port: intstr.FromInt32(81)}}}
	return map[string]property{
		"liveness-port": containers(func(c corev1.Container) bool { return opens(c, c.LivenessProbe) },
			func(c *corev1.Container) { c.LivenessProbe = probe }),
		"readiness-port": containers(func(c corev1.Container) bool { return opens(c, c.ReadinessProbe) },
			func(c *corev1.Container) { c.ReadinessProbe = probe }),
		"startup-port": containers(func(c corev1.Container) bool { return opens(c, c.StartupProbe) },
			func(c *corev1.Container) { c.StartupProbe = probe }),
		"ssh-port": containers(func(c corev1.Container) bool {
			return !slices.ContainsFunc(c.Ports, func(p corev1.ContainerPort) bool { return p.ContainerPort == 22 })
		}, func(c *corev1.Container) { c.Ports = append(c.Ports, corev1.ContainerPort{ContainerPort: 22}) }),
		"invalid-target-ports": services(func(_ linted, s *corev1.Service) bool {
			return !slices.ContainsFunc(s.Spec.Ports, func(p corev1.ServicePort) bool {
				if p.TargetPort.Type == intstr.String {
					return len(validation.IsValidPortName(p.TargetPort.StrVal)) > 0
				}
				return len(validation.IsValidPortNum(p.TargetPort.IntValue())) > 0
			})
		}, func(s *corev1.Service) { s.Spec.Ports[0].TargetPort = intstr.FromString("n_o") }),
	}
}

func objectProperties() map[string]property {
	budget := absent("PodDisruptionBudget") // the chart has none; a new one is to be held to the three checks
	return map[string]property{
		"pdb-max-unavailable":               budget,
		"pdb-min-available":                 budget,
		"pdb-unhealthy-pod-eviction-policy": budget,
		"no-extensions-v1beta":              absent("extensions/v1beta"),
		"dangling-service": services(func(all linted, s *corev1.Service) bool {
			return len(s.Spec.Selector) > 0 && slices.ContainsFunc(all.deployments, func(d *appsv1.Deployment) bool {
				return d.Namespace == s.Namespace && labels.SelectorFromSet(s.Spec.Selector).Matches(labels.Set(d.Spec.Template.Labels))
			})
		}, func(s *corev1.Service) { s.Spec.Selector["app"] = "another" }),
		"mismatching-selector": deployments(func(_ linted, d *appsv1.Deployment) bool {
			selector, err := metav1.LabelSelectorAsSelector(d.Spec.Selector)
			return err == nil && selector.Matches(labels.Set(d.Spec.Template.Labels))
		}, func(d *appsv1.Deployment) { d.Spec.Template.Labels["app"] = "another" }),
		"non-existent-service-account": deployments(func(all linted, d *appsv1.Deployment) bool {
			name := d.Spec.Template.Spec.ServiceAccountName
			return name == "" || slices.Contains(all.accounts, d.Namespace+"/"+name)
		}, func(d *appsv1.Deployment) { d.Spec.Template.Spec.ServiceAccountName = "another" }),
		// Asked for from two replicas on.
		"no-anti-affinity": deployments(func(_ linted, d *appsv1.Deployment) bool {
			return *d.Spec.Replicas < 2 || apart(d.Spec.Template)
		}, func(d *appsv1.Deployment) { d.Spec.Replicas = new(int32(2)); d.Spec.Template.Spec.Affinity = nil }),
	}
}

func isTrue(value *bool) bool { return value != nil && *value }

func notZero(id *int64) bool { return id == nil || *id > 0 }

// opens reports whether the container declares the port that the probe asks.
func opens(c corev1.Container, probe *corev1.Probe) bool {
	var port intstr.IntOrString
	switch {
	case probe != nil && probe.HTTPGet != nil:
		port = probe.HTTPGet.Port
	case probe != nil && probe.TCPSocket != nil:
		port = probe.TCPSocket.Port
	default:
		return true
	}
	return slices.ContainsFunc(c.Ports, func(p corev1.ContainerPort) bool {
		return port == intstr.FromString(p.Name) || port == intstr.FromInt32(p.ContainerPort)
	})
}

// apart reports whether the pods of a template are kept off each other's nodes.
func apart(template corev1.PodTemplateSpec) bool {
	affinity := template.Spec.Affinity
	if affinity == nil || affinity.PodAntiAffinity == nil {
		return false
	}
	terms := affinity.PodAntiAffinity.RequiredDuringSchedulingIgnoredDuringExecution
	for _, preferred := range affinity.PodAntiAffinity.PreferredDuringSchedulingIgnoredDuringExecution {
		terms = append(terms, preferred.PodAffinityTerm)
	}
	return slices.ContainsFunc(terms, func(term corev1.PodAffinityTerm) bool {
		selector, err := metav1.LabelSelectorAsSelector(term.LabelSelector)
		return err == nil && term.TopologyKey == corev1.LabelHostname && selector.Matches(labels.Set(template.Labels))
	})
}
