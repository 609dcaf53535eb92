"""Takes an API description apart by action: by_action.py ORIGIN <openapi.json >by-action.json

OpenAPI cannot tell operations apart by a query parameter, so in the published document the actions of a
path share one operation, which admits what fits any of them. Here each action has its own, with the
parameters and bodies that it alone reads: that is what requests are made from and judged by.
"""

import json
import sys


def camel(group, action):
    return group + "".join(word.capitalize() for word in action.split("_"))


def pascal(group, action):
    name = camel(group, action)
    return name[0].upper() + name[1:]


def one_action(operation, group, action):
    """The operation as if it had this action only."""
    parameters = []
    for parameter in operation["parameters"]:
        wanted = parameter.get("x-actions", {}).get(action)
        if wanted is not None:
            parameters.append({**parameter, "required": wanted == "required"})
    own = {**operation, "operationId": camel(group, action), "parameters": parameters}
    if "requestBody" in operation:
        schema = {"$ref": f"#/components/schemas/{pascal(group, action)}Request"}
        content = {
            media: {"schema": schema, "examples": {action: body["examples"][action]}}
            for media, body in operation["requestBody"]["content"].items()
        }
        own["requestBody"] = {**operation["requestBody"], "content": content}
    own["responses"] = responses(operation["responses"], group, action)
    return own


def responses(all_actions, group, action):
    own = json.loads(json.dumps(all_actions))
    for status, suffix in [("200", "Data"), ("202", "Pending")]:
        example = own.get(status, {}).get("content", {}).get("application/json")
        if example is None:
            continue
        if action not in example["examples"]:
            # no answer of this action
            del own[status]
            continue
        example["examples"] = {action: example["examples"][action]}
        data = {"$ref": f"#/components/schemas/{pascal(group, action)}{suffix}"}
        example["schema"]["properties"]["data"] = data
        leads_to = own[status].pop("links", {})
        links = {name: link for name, link in leads_to.items() if action in link["x-actions"]}
        for name, link in links.items():
            link["operationId"] = name
            link["parameters"].pop("action", None)
        if links:
            own[status]["links"] = links
    return own


def by_action(document):
    paths = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            actions = [one for one in operation.get("parameters", []) if one["name"] == "action"]
            if not actions:
                paths.setdefault(path, {})[method] = operation
                continue
            group = operation["tags"][0].lower()
            for action in actions[0]["schema"]["enum"]:
                own = one_action(operation, group, action)
                paths.setdefault(f"{path}?action={action}", {})[method] = own
    return {**document, "paths": paths}


if __name__ == "__main__":
    described = json.load(sys.stdin)
    described["servers"] = [{"url": sys.argv[1]}]
    json.dump(by_action(described), sys.stdout, indent=1)
