//! Who runs a group: a service that made it, and that puts back the rules that somebody takes out.

use crate::observation::Observation;

/// Tags that a service gives to its groups: beginning of the key, the value or any, the service.
const TAGS: [(&str, Option<&str>, &str); 8] = [
    // A cluster's own group; groups that are `shared` with it belong to somebody else.
    ("kubernetes.io/cluster/", Some("owned"), "a Kubernetes cluster"),
    ("aws:eks:cluster-name", None, "EKS"),
    ("elbv2.k8s.aws/cluster", None, "the AWS Load Balancer Controller of an EKS cluster"),
    ("elasticbeanstalk:environment-id", None, "Elastic Beanstalk"),
    ("elasticbeanstalk:environment-name", None, "Elastic Beanstalk"),
    ("aws:elasticmapreduce:", None, "EMR"),
    // EMR wants this tag on the groups that it may change.
    ("for-use-with-amazon-emr-managed-policies", Some("true"), "EMR"),
    ("aws:ds:", None, "Directory Service"),
];

/// Names of the groups that services make without tags.
const NAMES: [(&str, &str, &str); 6] = [
    ("ElasticMapReduce-", "", "EMR"),
    ("default_elb_", "", "Elastic Load Balancing"),
    ("k8s-elb-", "", "a load balancer of Kubernetes"),
    ("eks-cluster-sg-", "", "EKS"),
    ("awseb-", "", "Elastic Beanstalk"),
    // Of the domain controllers of a directory.
    ("d-", "_controllers", "Directory Service"),
];

/// Descriptions of such groups: the beginning.
const DESCRIPTIONS: [(&str, &str); 4] = [
    ("AWS created security group for d-", "Directory Service"),
    ("ELB created security group ", "Elastic Load Balancing"),
    ("Security group for Kubernetes ELB ", "a load balancer of Kubernetes"),
    ("EKS created security group ", "EKS"),
];

/// The owners of groups that are a service's own.
const OWNERS: [&str; 1] = ["amazon-elb"];

/// The service that runs a group, if one does.
pub(crate) fn manager(seen: &Observation) -> Option<&'static str> {
    let tag = |(key, value, _): &&(&str, Option<&str>, &str)| {
        seen.tags.iter().any(|(k, v)| k.starts_with(key) && value.is_none_or(|value| value == v))
    };
    let name =
        |(start, end, _): &&(&str, &str, &str)| seen.name.starts_with(start) && seen.name.ends_with(end);
    if OWNERS.contains(&seen.owner.as_str()) {
        return Some("Elastic Load Balancing");
    }
    let by_tag = TAGS.iter().find(tag).map(|(_, _, service)| *service);
    let by_name = || NAMES.iter().find(name).map(|(_, _, service)| *service);
    let described = |(start, _): &&(&str, &str)| seen.description.starts_with(start);
    by_tag.or_else(by_name).or_else(|| DESCRIPTIONS.iter().find(described).map(|(_, service)| *service))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run_by(name: &str, owner: &str, tags: &[(&str, &str)]) -> Option<&'static str> {
        let tags = tags.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        manager(&Observation { name: name.into(), owner: owner.into(), tags, ..Observation::default() })
    }

    #[test]
    fn r15_groups_of_services_are_known_by_tags_names_descriptions_and_owners() {
        let ours = "111122223333";
        assert_eq!(
            run_by("eks-node", ours, &[("kubernetes.io/cluster/prod", "owned")]),
            Some("a Kubernetes cluster")
        );
        assert_eq!(run_by("own", ours, &[("kubernetes.io/cluster/prod", "shared")]), None);
        assert_eq!(run_by("x", ours, &[("aws:eks:cluster-name", "prod")]), Some("EKS"));
        assert_eq!(
            run_by("x", ours, &[("elasticbeanstalk:environment-name", "web")]),
            Some("Elastic Beanstalk")
        );
        assert_eq!(run_by("x", ours, &[("for-use-with-amazon-emr-managed-policies", "true")]), Some("EMR"));
        assert_eq!(run_by("ElasticMapReduce-master", ours, &[]), Some("EMR"));
        assert_eq!(run_by("d-9067a1b2c3_controllers", ours, &[]), Some("Directory Service"));
        let description = "AWS created security group for d-9067a1b2c3 directory controllers".to_owned();
        let directory = Observation { description, ..Observation::default() };
        assert_eq!(manager(&directory), Some("Directory Service"));
        assert_eq!(run_by("amazon-elb-sg", "amazon-elb", &[]), Some("Elastic Load Balancing"));
        assert_eq!(run_by("d-day", ours, &[("Name", "web"), ("aws:cloudformation:stack-name", "web")]), None);
    }
}
