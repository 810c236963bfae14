// Written by scripts/embed-plugin-schemas from docs/plugin-protocol: change it there.
// swift-format-ignore-file

extension MessageSchemas {
  static let texts: [String: String] = [
    "cancel.parameters": #"""
      {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Parameters of the notification $/cancel",
        "type": "object",
        "properties": {
          "id": {
            "type": [
              "integer",
              "string"
            ]
          }
        },
        "required": [
          "id"
        ]
      }
      """#,
    "engine-capacity.parameters": #"""
      {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Parameters of engine/capacity",
        "type": "object"
      }
      """#,
    "engine-capacity.result": #"""
      {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Result of engine/capacity",
        "type": "object",
        "properties": {
          "milliCPUs": {
            "type": "integer",
            "description": "Thousandths of a processor.",
            "minimum": 0
          },
          "memory": {
            "type": "integer",
            "description": "Bytes.",
            "minimum": 0
          },
          "disk": {
            "type": "integer",
            "description": "Bytes.",
            "minimum": 0
          },
          "gpus": {
            "type": "integer",
            "minimum": 0
          }
        },
        "required": [
          "milliCPUs",
          "memory",
          "disk"
        ]
      }
      """#,
    "engine-changed.parameters": #"""
      {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Parameters of the notification engine/changed",
        "type": "object"
      }
      """#,
    "engine-create.parameters": #"""
      {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Parameters of engine/create",
        "type": "object",
        "properties": {
          "id": {
            "type": "string",
            "minLength": 1
          },
          "pool": {
            "type": "string"
          },
          "image": {
            "type": "string"
          },
          "milliCPUs": {
            "type": "integer",
            "description": "Thousandths of a processor.",
            "minimum": 0
          },
          "memory": {
            "type": "integer",
            "description": "Bytes.",
            "minimum": 0
          },
          "disk": {
            "type": "integer",
            "description": "Bytes.",
            "minimum": 0
          },
          "gpus": {
            "type": "integer",
            "minimum": 0
          },
          "reusable": {
            "type": "boolean"
          },
          "environment": {
            "type": "object",
            "additionalProperties": {
              "type": "string"
            }
          }
        },
        "required": [
          "id",
          "pool",
          "image",
          "milliCPUs",
          "memory",
          "disk",
          "gpus",
          "reusable",
          "environment"
        ]
      }
      """#,
    "engine-create.result": #"""
      {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Result of engine/create",
        "type": "object"
      }
      """#,
    "engine-home.parameters": #"""
      {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Parameters of engine/home",
        "type": "object",
        "properties": {
          "id": {
            "type": "string",
            "minLength": 1,
            "description": "Of the container, which need not be made yet."
          },
          "pool": {
            "type": "string"
          },
          "image": {
            "type": "string"
          }
        },
        "required": [
          "id",
          "pool",
          "image"
        ]
      }
      """#,
    "engine-home.result": #"""
      {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Result of engine/home",
        "type": "object",
        "properties": {
          "home": {
            "type": "string",
            "description": "The runner's home as the runner sees it.",
            "minLength": 1
          }
        },
        "required": [
          "home"
        ]
      }
      """#,
    "engine-init.parameters": #"""
      {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Parameters of engine/init",
        "type": "object"
      }
      """#,
    "engine-init.result": #"""
      {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Result of engine/init",
        "type": "object",
        "properties": {
          "script": {
            "type": "string",
            "description": "Base64 (RFC 4648, with padding).",
            "pattern": "^[A-Za-z0-9+/]*={0,2}$"
          }
        },
        "required": [
          "script"
        ]
      }
      """#,
    "engine-inspect.parameters": #"""
      {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Parameters of engine/inspect",
        "type": "object",
        "properties": {
          "id": {
            "type": "string",
            "minLength": 1
          }
        },
        "required": [
          "id"
        ]
      }
      """#,
    "engine-inspect.result": #"""
      {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Result of engine/inspect",
        "type": "object",
        "properties": {
          "container": {
            "anyOf": [
              {
                "$ref": "#/$defs/container"
              },
              {
                "type": "null"
              }
            ]
          }
        },
        "$defs": {
          "container": {
            "type": "object",
            "properties": {
              "id": {
                "type": "string",
                "minLength": 1
              },
              "status": {
                "enum": [
                  "created",
                  "running",
                  "exited"
                ]
              },
              "exitCode": {
                "type": "integer"
              },
              "endedUse": {
                "type": "integer",
                "description": "The last use that ended.",
                "minimum": 0
              },
              "runnerExit": {
                "type": "integer",
                "description": "Exit status of the runner in that use."
              },
              "processes": {
                "type": "integer",
                "minimum": 0
              },
              "memory": {
                "type": "integer",
                "description": "Bytes.",
                "minimum": 0
              },
              "cpuSeconds": {
                "type": "number",
                "minimum": 0
              },
              "startedAt": {
                "type": "string",
                "format": "date-time"
              },
              "outOfMemory": {
                "type": "boolean"
              }
            },
            "required": [
              "id",
              "status"
            ]
          }
        }
      }
      """#,
    "engine-list.parameters": #"""
      {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Parameters of engine/list",
        "type": "object"
      }
      """#,
    "engine-list.result": #"""
      {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Result of engine/list",
        "type": "object",
        "properties": {
          "containers": {
            "type": "array",
            "items": {
              "$ref": "#/$defs/container"
            }
          }
        },
        "required": [
          "containers"
        ],
        "$defs": {
          "container": {
            "type": "object",
            "properties": {
              "id": {
                "type": "string",
                "minLength": 1
              },
              "status": {
                "enum": [
                  "created",
                  "running",
                  "exited"
                ]
              },
              "exitCode": {
                "type": "integer"
              },
              "endedUse": {
                "type": "integer",
                "description": "The last use that ended.",
                "minimum": 0
              },
              "runnerExit": {
                "type": "integer",
                "description": "Exit status of the runner in that use."
              },
              "processes": {
                "type": "integer",
                "minimum": 0
              },
              "memory": {
                "type": "integer",
                "description": "Bytes.",
                "minimum": 0
              },
              "cpuSeconds": {
                "type": "number",
                "minimum": 0
              },
              "startedAt": {
                "type": "string",
                "format": "date-time"
              },
              "outOfMemory": {
                "type": "boolean"
              }
            },
            "required": [
              "id",
              "status"
            ]
          }
        }
      }
      """#,
    "engine-log.parameters": #"""
      {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Parameters of engine/log",
        "type": "object",
        "properties": {
          "id": {
            "type": "string",
            "minLength": 1
          },
          "use": {
            "type": "integer",
            "minimum": 0
          },
          "offset": {
            "type": "integer",
            "description": "Bytes of the log that are known already.",
            "minimum": 0
          }
        },
        "required": [
          "id",
          "use",
          "offset"
        ]
      }
      """#,
    "engine-log.result": #"""
      {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Result of engine/log",
        "type": "object",
        "properties": {
          "data": {
            "type": "string",
            "description": "Base64 of 1 MiB at most.",
            "pattern": "^[A-Za-z0-9+/]*={0,2}$",
            "maxLength": 1398104
          }
        },
        "required": [
          "data"
        ]
      }
      """#,
    "engine-put.parameters": #"""
      {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Parameters of engine/put",
        "type": "object",
        "properties": {
          "id": {
            "type": "string",
            "minLength": 1
          },
          "files": {
            "type": "array",
            "description": "In order, each whole before the next.",
            "items": {
              "$ref": "#/$defs/file"
            }
          }
        },
        "required": [
          "id",
          "files"
        ],
        "$defs": {
          "file": {
            "type": "object",
            "properties": {
              "path": {
                "type": "string",
                "description": "Relative to the runner's home unless it begins with /.",
                "minLength": 1
              },
              "contents": {
                "type": "string",
                "description": "Base64 (RFC 4648, with padding).",
                "pattern": "^[A-Za-z0-9+/]*={0,2}$"
              },
              "mode": {
                "type": "integer",
                "description": "Permissions, such as 420 for 0644.",
                "minimum": 0,
                "maximum": 4095
              }
            },
            "required": [
              "path",
              "contents",
              "mode"
            ]
          }
        }
      }
      """#,
    "engine-put.result": #"""
      {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Result of engine/put",
        "type": "object"
      }
      """#,
    "engine-recycle.parameters": #"""
      {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Parameters of engine/recycle",
        "type": "object",
        "properties": {
          "id": {
            "type": "string",
            "minLength": 1
          }
        },
        "required": [
          "id"
        ]
      }
      """#,
    "engine-recycle.result": #"""
      {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Result of engine/recycle",
        "type": "object"
      }
      """#,
    "engine-remove.parameters": #"""
      {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Parameters of engine/remove",
        "type": "object",
        "properties": {
          "id": {
            "type": "string",
            "minLength": 1
          }
        },
        "required": [
          "id"
        ]
      }
      """#,
    "engine-remove.result": #"""
      {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Result of engine/remove",
        "type": "object"
      }
      """#,
    "engine-start.parameters": #"""
      {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Parameters of engine/start",
        "type": "object",
        "properties": {
          "id": {
            "type": "string",
            "minLength": 1
          }
        },
        "required": [
          "id"
        ]
      }
      """#,
    "engine-start.result": #"""
      {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Result of engine/start",
        "type": "object"
      }
      """#,
    "engine-update.parameters": #"""
      {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Parameters of engine/update",
        "type": "object",
        "properties": {
          "id": {
            "type": "string",
            "minLength": 1
          },
          "milliCPUs": {
            "type": "integer",
            "description": "Thousandths of a processor.",
            "minimum": 0
          },
          "memory": {
            "type": "integer",
            "description": "Bytes.",
            "minimum": 0
          },
          "disk": {
            "type": "integer",
            "description": "Bytes.",
            "minimum": 0
          },
          "gpus": {
            "type": "integer",
            "minimum": 0
          }
        },
        "required": [
          "id",
          "milliCPUs",
          "memory",
          "disk",
          "gpus"
        ]
      }
      """#,
    "engine-update.result": #"""
      {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Result of engine/update",
        "type": "object"
      }
      """#,
    "envelope": #"""
      {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A message",
        "type": "object",
        "description": "A line of either direction.",
        "properties": {
          "jsonrpc": {
            "const": "2.0"
          }
        },
        "required": [
          "jsonrpc"
        ],
        "oneOf": [
          {
            "title": "request",
            "required": [
              "id",
              "method"
            ],
            "properties": {
              "id": {
                "type": [
                  "integer",
                  "string"
                ]
              },
              "method": {
                "type": "string",
                "minLength": 1,
                "maxLength": 100
              },
              "params": {
                "type": "object"
              },
              "result": false,
              "error": false
            }
          },
          {
            "title": "notification",
            "required": [
              "method"
            ],
            "properties": {
              "id": false,
              "method": {
                "type": "string",
                "minLength": 1,
                "maxLength": 100
              },
              "params": {
                "type": "object"
              },
              "result": false,
              "error": false
            }
          },
          {
            "title": "answer",
            "required": [
              "id",
              "result"
            ],
            "properties": {
              "id": {
                "type": [
                  "integer",
                  "string"
                ]
              },
              "method": false,
              "error": false
            }
          },
          {
            "title": "refusal",
            "required": [
              "id",
              "error"
            ],
            "properties": {
              "id": {
                "type": [
                  "integer",
                  "string",
                  "null"
                ],
                "description": "null: it could not be read."
              },
              "method": false,
              "result": false,
              "error": {
                "$ref": "#/$defs/error"
              }
            }
          }
        ],
        "$defs": {
          "error": {
            "type": "object",
            "properties": {
              "code": {
                "type": "integer"
              },
              "message": {
                "type": "string",
                "description": "Read by people.",
                "minLength": 1
              },
              "data": {}
            },
            "required": [
              "code",
              "message"
            ],
            "if": {
              "properties": {
                "code": {
                  "const": -32006
                }
              },
              "required": [
                "code"
              ]
            },
            "then": {
              "properties": {
                "data": {
                  "type": "object",
                  "properties": {
                    "retryAfter": {
                      "type": "number",
                      "minimum": 0,
                      "description": "Seconds."
                    }
                  }
                }
              }
            }
          }
        }
      }
      """#,
    "health.parameters": #"""
      {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Parameters of health",
        "type": "object"
      }
      """#,
    "health.result": #"""
      {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Result of health",
        "type": "object",
        "properties": {
          "status": {
            "enum": [
              "ok",
              "degraded",
              "failing"
            ]
          },
          "detail": {
            "type": "string",
            "description": "For people."
          }
        },
        "required": [
          "status"
        ]
      }
      """#,
    "initialize.parameters": #"""
      {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Parameters of initialize",
        "type": "object",
        "properties": {
          "protocolVersions": {
            "type": "array",
            "description": "Versions of this protocol that the host speaks, the best first.",
            "items": {
              "type": "string"
            },
            "minItems": 1
          },
          "host": {
            "type": "object",
            "properties": {
              "name": {
                "type": "string"
              },
              "version": {
                "type": "string"
              }
            },
            "required": [
              "name",
              "version"
            ]
          },
          "name": {
            "type": "string",
            "description": "Of the plugin.",
            "minLength": 1,
            "maxLength": 32
          },
          "kind": {
            "enum": [
              "notifier",
              "observer",
              "secrets",
              "engine",
              "source"
            ]
          },
          "configuration": {
            "type": "object",
            "description": "Valid under the schema in plugin.yaml, with secrets filled in; empty where it takes none."
          },
          "directory": {
            "type": "string",
            "description": "The plugin's own folder, kept between its starts.",
            "pattern": "^/"
          },
          "abilities": {
            "type": "array",
            "description": "What was granted.",
            "items": {
              "type": "string"
            }
          }
        },
        "required": [
          "protocolVersions",
          "host",
          "name",
          "kind",
          "configuration",
          "directory",
          "abilities"
        ]
      }
      """#,
    "initialize.result": #"""
      {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Result of initialize",
        "type": "object",
        "properties": {
          "protocolVersion": {
            "type": "string",
            "description": "One of those that the host offered.",
            "minLength": 1
          },
          "version": {
            "type": "string",
            "description": "Of the plugin.",
            "minLength": 1
          }
        },
        "required": [
          "protocolVersion",
          "version"
        ]
      }
      """#,
    "notifier-notify.parameters": #"""
      {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Parameters of notifier/notify",
        "type": "object",
        "properties": {
          "event": {
            "enum": [
              "raised",
              "resolved"
            ]
          },
          "alert": {
            "$ref": "#/$defs/alert"
          },
          "url": {
            "type": "string",
            "format": "uri",
            "description": "Where a person sees more."
          }
        },
        "required": [
          "event",
          "alert"
        ],
        "$defs": {
          "alert": {
            "type": "object",
            "properties": {
              "id": {
                "type": "string",
                "description": "With `event` it tells a repetition.",
                "minLength": 1
              },
              "key": {
                "type": "string",
                "description": "What it is about; the same for the next alert about the same.",
                "minLength": 1
              },
              "severity": {
                "enum": [
                  "info",
                  "warning",
                  "critical"
                ]
              },
              "title": {
                "type": "string",
                "minLength": 1
              },
              "text": {
                "type": "string"
              },
              "raisedAt": {
                "type": "string",
                "format": "date-time"
              },
              "resolvedAt": {
                "type": "string",
                "format": "date-time"
              }
            },
            "required": [
              "id",
              "key",
              "severity",
              "title",
              "text",
              "raisedAt"
            ]
          }
        }
      }
      """#,
    "notifier-notify.result": #"""
      {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Result of notifier/notify",
        "type": "object"
      }
      """#,
    "observer-events.parameters": #"""
      {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Parameters of observer/events",
        "type": "object",
        "properties": {
          "events": {
            "type": "array",
            "items": {
              "$ref": "#/$defs/event"
            }
          },
          "missed": {
            "type": "integer",
            "description": "Events that were dropped before these, because the observer was too slow.",
            "minimum": 0
          }
        },
        "required": [
          "events",
          "missed"
        ],
        "$defs": {
          "event": {
            "type": "object",
            "properties": {
              "id": {
                "type": "integer",
                "description": "Grows with each event.",
                "minimum": 0
              },
              "kind": {
                "type": "string",
                "minLength": 1
              },
              "at": {
                "type": "string",
                "format": "date-time"
              },
              "action": {
                "type": "string",
                "minLength": 1
              },
              "subject": {
                "type": "string"
              },
              "text": {
                "type": "string",
                "description": "One line for people."
              },
              "details": {
                "type": "object"
              }
            },
            "required": [
              "id",
              "kind",
              "at",
              "action",
              "subject",
              "text",
              "details"
            ]
          }
        }
      }
      """#,
    "observer-events.result": #"""
      {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Result of observer/events",
        "type": "object"
      }
      """#,
    "plugin.yaml": #"""
      {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "plugin.yaml",
        "type": "object",
        "properties": {
          "name": {
            "type": "string",
            "description": "Of its folder.",
            "pattern": "^[a-z0-9][a-z0-9-]{0,31}$"
          },
          "version": {
            "type": "string",
            "description": "As its author counts: 1.2.0.",
            "minLength": 1
          },
          "kind": {
            "enum": [
              "notifier",
              "observer",
              "secrets",
              "engine",
              "source",
              "garm-provider"
            ]
          },
          "summary": {
            "type": "string",
            "description": "One line for people.",
            "minLength": 1
          },
          "command": {
            "type": "array",
            "description": "The program and its arguments: a path with / is relative to the plugin's folder, a bare word is looked up in /usr/local/bin:/usr/bin:/bin.",
            "items": {
              "type": "string",
              "minLength": 1
            },
            "minItems": 1
          },
          "configuration": {
            "type": "object",
            "description": "JSON Schema of its configuration in runnerhub.yaml. Members that are writeOnly are secrets."
          },
          "abilities": {
            "type": "array",
            "description": "What it asks for; the operator grants it.",
            "items": {
              "type": "string",
              "pattern": "^(network|jobs|environment:[A-Za-z_][A-Za-z0-9_]*|(read|write):/.*|events:[a-z]+)$",
              "description": "network, environment:NAME, read:/path, write:/path, events:KIND or jobs."
            },
            "uniqueItems": true
          },
          "concurrency": {
            "type": "integer",
            "minimum": 1,
            "maximum": 64,
            "default": 8,
            "description": "Calls under way at once at most."
          }
        },
        "required": [
          "name",
          "version",
          "kind",
          "summary",
          "command"
        ],
        "additionalProperties": false
      }
      """#,
    "progress.parameters": #"""
      {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Parameters of the notification $/progress",
        "type": "object",
        "properties": {
          "id": {
            "type": [
              "integer",
              "string"
            ]
          },
          "message": {
            "type": "string"
          },
          "fraction": {
            "type": "number",
            "minimum": 0,
            "maximum": 1
          }
        },
        "required": [
          "id",
          "message"
        ]
      }
      """#,
    "record": #"""
      {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A line of a recorded session",
        "type": "object",
        "oneOf": [
          {
            "required": [
              "record"
            ],
            "properties": {
              "record": {
                "const": 1,
                "description": "The first line: the version of this format."
              },
              "plugin": {
                "type": "string"
              },
              "version": {
                "type": "string"
              },
              "kind": {
                "type": "string"
              },
              "at": {
                "type": "string",
                "format": "date-time"
              },
              "volatile": {
                "type": "array",
                "description": "Places of results that may differ at each replay.",
                "items": {
                  "type": "string",
                  "format": "json-pointer"
                }
              }
            }
          },
          {
            "required": [
              "at",
              "from",
              "line"
            ],
            "properties": {
              "at": {
                "type": "number",
                "minimum": 0,
                "description": "Seconds since the start."
              },
              "from": {
                "enum": [
                  "host",
                  "plugin"
                ]
              },
              "line": {
                "type": "string"
              }
            }
          }
        ]
      }
      """#,
    "secrets-read.parameters": #"""
      {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Parameters of secrets/read",
        "type": "object",
        "properties": {
          "path": {
            "type": "string",
            "minLength": 1
          },
          "field": {
            "type": "string",
            "minLength": 1
          }
        },
        "required": [
          "path"
        ]
      }
      """#,
    "secrets-read.result": #"""
      {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Result of secrets/read",
        "type": "object",
        "properties": {
          "value": {
            "type": "string",
            "writeOnly": true
          },
          "expiresIn": {
            "type": "number",
            "exclusiveMinimum": 0,
            "description": "Seconds; the host asks again before they are over."
          }
        },
        "required": [
          "value"
        ]
      }
      """#,
    "shutdown.parameters": #"""
      {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Parameters of shutdown",
        "type": "object"
      }
      """#,
    "shutdown.result": #"""
      {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Result of shutdown",
        "type": "object"
      }
      """#,
    "source-cancel.parameters": #"""
      {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Parameters of source/cancel",
        "type": "object",
        "properties": {
          "run": {
            "type": "integer"
          },
          "repository": {
            "type": "string"
          }
        },
        "required": [
          "run",
          "repository"
        ]
      }
      """#,
    "source-cancel.result": #"""
      {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Result of source/cancel",
        "type": "object"
      }
      """#,
    "source-delivery.parameters": #"""
      {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Parameters of source/delivery",
        "type": "object",
        "properties": {
          "headers": {
            "type": "object",
            "additionalProperties": {
              "type": "string"
            }
          },
          "body": {
            "type": "string"
          }
        },
        "required": [
          "headers",
          "body"
        ]
      }
      """#,
    "source-delivery.result": #"""
      {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Result of source/delivery",
        "type": "object",
        "properties": {
          "accepted": {
            "type": "boolean"
          },
          "reason": {
            "type": "string"
          },
          "jobs": {
            "type": "array",
            "items": {
              "$ref": "#/$defs/job"
            }
          }
        },
        "required": [
          "accepted",
          "jobs"
        ],
        "$defs": {
          "job": {
            "type": "object",
            "properties": {
              "id": {
                "type": "integer",
                "description": "Whole number of the platform, unique within it."
              },
              "run": {
                "type": "integer",
                "description": "The run (pipeline, build) that it belongs to."
              },
              "attempt": {
                "type": "integer",
                "minimum": 1
              },
              "name": {
                "type": "string"
              },
              "workflow": {
                "type": "string"
              },
              "labels": {
                "type": "array",
                "items": {
                  "type": "string"
                }
              },
              "repository": {
                "$ref": "#/$defs/repository"
              },
              "scope": {
                "type": "string",
                "description": "Where its runner is registered; its repository where it is left out.",
                "minLength": 1
              },
              "headRepository": {
                "type": "integer",
                "description": "The repository that its code comes from."
              },
              "actor": {
                "type": "string"
              },
              "status": {
                "enum": [
                  "queued",
                  "waiting",
                  "in_progress",
                  "completed"
                ]
              },
              "conclusion": {
                "type": "string",
                "description": "Once it is completed.",
                "minLength": 1
              },
              "commit": {
                "type": "string"
              },
              "branch": {
                "type": "string"
              },
              "url": {
                "type": "string",
                "format": "uri"
              },
              "runner": {
                "type": "string",
                "description": "Name of the runner that runs it."
              },
              "image": {
                "type": "string",
                "description": "Image that the job asks for."
              },
              "services": {
                "type": "array",
                "description": "Images of the containers beside the job.",
                "items": {
                  "type": "string"
                }
              },
              "event": {
                "type": "string",
                "description": "What set it off, such as push."
              },
              "createdAt": {
                "type": "string",
                "format": "date-time"
              },
              "startedAt": {
                "type": "string",
                "format": "date-time"
              },
              "completedAt": {
                "type": "string",
                "format": "date-time"
              },
              "transition": {
                "type": "string",
                "description": "The same text whenever the same change is told.",
                "minLength": 1
              }
            },
            "required": [
              "id",
              "run",
              "name",
              "labels",
              "repository",
              "status",
              "commit",
              "transition"
            ],
            "if": {
              "properties": {
                "status": {
                  "const": "completed"
                }
              },
              "required": [
                "status"
              ]
            },
            "then": {
              "required": [
                "conclusion"
              ]
            }
          },
          "repository": {
            "type": "object",
            "properties": {
              "id": {
                "type": "integer",
                "description": "The platform's own number."
              },
              "name": {
                "type": "string",
                "description": "owner/name",
                "minLength": 1
              },
              "private": {
                "type": "boolean"
              },
              "defaultBranch": {
                "type": "string"
              }
            },
            "required": [
              "id",
              "name",
              "private"
            ]
          }
        }
      }
      """#,
    "source-events.parameters": #"""
      {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Parameters of source/events",
        "type": "object",
        "properties": {
          "jobs": {
            "type": "array",
            "items": {
              "$ref": "#/$defs/job"
            }
          }
        },
        "required": [
          "jobs"
        ],
        "$defs": {
          "job": {
            "type": "object",
            "properties": {
              "id": {
                "type": "integer",
                "description": "Whole number of the platform, unique within it."
              },
              "run": {
                "type": "integer",
                "description": "The run (pipeline, build) that it belongs to."
              },
              "attempt": {
                "type": "integer",
                "minimum": 1
              },
              "name": {
                "type": "string"
              },
              "workflow": {
                "type": "string"
              },
              "labels": {
                "type": "array",
                "items": {
                  "type": "string"
                }
              },
              "repository": {
                "$ref": "#/$defs/repository"
              },
              "scope": {
                "type": "string",
                "description": "Where its runner is registered; its repository where it is left out.",
                "minLength": 1
              },
              "headRepository": {
                "type": "integer",
                "description": "The repository that its code comes from."
              },
              "actor": {
                "type": "string"
              },
              "status": {
                "enum": [
                  "queued",
                  "waiting",
                  "in_progress",
                  "completed"
                ]
              },
              "conclusion": {
                "type": "string",
                "description": "Once it is completed.",
                "minLength": 1
              },
              "commit": {
                "type": "string"
              },
              "branch": {
                "type": "string"
              },
              "url": {
                "type": "string",
                "format": "uri"
              },
              "runner": {
                "type": "string",
                "description": "Name of the runner that runs it."
              },
              "image": {
                "type": "string",
                "description": "Image that the job asks for."
              },
              "services": {
                "type": "array",
                "description": "Images of the containers beside the job.",
                "items": {
                  "type": "string"
                }
              },
              "event": {
                "type": "string",
                "description": "What set it off, such as push."
              },
              "createdAt": {
                "type": "string",
                "format": "date-time"
              },
              "startedAt": {
                "type": "string",
                "format": "date-time"
              },
              "completedAt": {
                "type": "string",
                "format": "date-time"
              },
              "transition": {
                "type": "string",
                "description": "The same text whenever the same change is told.",
                "minLength": 1
              }
            },
            "required": [
              "id",
              "run",
              "name",
              "labels",
              "repository",
              "status",
              "commit",
              "transition"
            ],
            "if": {
              "properties": {
                "status": {
                  "const": "completed"
                }
              },
              "required": [
                "status"
              ]
            },
            "then": {
              "required": [
                "conclusion"
              ]
            }
          },
          "repository": {
            "type": "object",
            "properties": {
              "id": {
                "type": "integer",
                "description": "The platform's own number."
              },
              "name": {
                "type": "string",
                "description": "owner/name",
                "minLength": 1
              },
              "private": {
                "type": "boolean"
              },
              "defaultBranch": {
                "type": "string"
              }
            },
            "required": [
              "id",
              "name",
              "private"
            ]
          }
        }
      }
      """#,
    "source-events.result": #"""
      {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Result of source/events",
        "type": "object",
        "properties": {
          "refused": {
            "type": "array",
            "description": "Those that were not stored, and why.",
            "items": {
              "type": "object",
              "properties": {
                "index": {
                  "type": "integer",
                  "minimum": 0
                },
                "reason": {
                  "type": "string"
                }
              },
              "required": [
                "index",
                "reason"
              ]
            }
          }
        }
      }
      """#,
    "source-job.parameters": #"""
      {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Parameters of source/job",
        "type": "object",
        "properties": {
          "id": {
            "type": "integer"
          },
          "repository": {
            "type": "string"
          }
        },
        "required": [
          "id",
          "repository"
        ]
      }
      """#,
    "source-job.result": #"""
      {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Result of source/job",
        "type": "object",
        "properties": {
          "job": {
            "$ref": "#/$defs/job"
          }
        },
        "required": [
          "job"
        ],
        "$defs": {
          "job": {
            "type": "object",
            "properties": {
              "id": {
                "type": "integer",
                "description": "Whole number of the platform, unique within it."
              },
              "run": {
                "type": "integer",
                "description": "The run (pipeline, build) that it belongs to."
              },
              "attempt": {
                "type": "integer",
                "minimum": 1
              },
              "name": {
                "type": "string"
              },
              "workflow": {
                "type": "string"
              },
              "labels": {
                "type": "array",
                "items": {
                  "type": "string"
                }
              },
              "repository": {
                "$ref": "#/$defs/repository"
              },
              "scope": {
                "type": "string",
                "description": "Where its runner is registered; its repository where it is left out.",
                "minLength": 1
              },
              "headRepository": {
                "type": "integer",
                "description": "The repository that its code comes from."
              },
              "actor": {
                "type": "string"
              },
              "status": {
                "enum": [
                  "queued",
                  "waiting",
                  "in_progress",
                  "completed"
                ]
              },
              "conclusion": {
                "type": "string",
                "description": "Once it is completed.",
                "minLength": 1
              },
              "commit": {
                "type": "string"
              },
              "branch": {
                "type": "string"
              },
              "url": {
                "type": "string",
                "format": "uri"
              },
              "runner": {
                "type": "string",
                "description": "Name of the runner that runs it."
              },
              "image": {
                "type": "string",
                "description": "Image that the job asks for."
              },
              "services": {
                "type": "array",
                "description": "Images of the containers beside the job.",
                "items": {
                  "type": "string"
                }
              },
              "event": {
                "type": "string",
                "description": "What set it off, such as push."
              },
              "createdAt": {
                "type": "string",
                "format": "date-time"
              },
              "startedAt": {
                "type": "string",
                "format": "date-time"
              },
              "completedAt": {
                "type": "string",
                "format": "date-time"
              },
              "transition": {
                "type": "string",
                "description": "The same text whenever the same change is told.",
                "minLength": 1
              }
            },
            "required": [
              "id",
              "run",
              "name",
              "labels",
              "repository",
              "status",
              "commit",
              "transition"
            ],
            "if": {
              "properties": {
                "status": {
                  "const": "completed"
                }
              },
              "required": [
                "status"
              ]
            },
            "then": {
              "required": [
                "conclusion"
              ]
            }
          },
          "repository": {
            "type": "object",
            "properties": {
              "id": {
                "type": "integer",
                "description": "The platform's own number."
              },
              "name": {
                "type": "string",
                "description": "owner/name",
                "minLength": 1
              },
              "private": {
                "type": "boolean"
              },
              "defaultBranch": {
                "type": "string"
              }
            },
            "required": [
              "id",
              "name",
              "private"
            ]
          }
        }
      }
      """#,
    "source-open.parameters": #"""
      {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Parameters of source/open",
        "type": "object"
      }
      """#,
    "source-open.result": #"""
      {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Result of source/open",
        "type": "object",
        "properties": {
          "jobs": {
            "type": "array",
            "description": "All that have not ended.",
            "items": {
              "$ref": "#/$defs/job"
            }
          }
        },
        "required": [
          "jobs"
        ],
        "$defs": {
          "job": {
            "type": "object",
            "properties": {
              "id": {
                "type": "integer",
                "description": "Whole number of the platform, unique within it."
              },
              "run": {
                "type": "integer",
                "description": "The run (pipeline, build) that it belongs to."
              },
              "attempt": {
                "type": "integer",
                "minimum": 1
              },
              "name": {
                "type": "string"
              },
              "workflow": {
                "type": "string"
              },
              "labels": {
                "type": "array",
                "items": {
                  "type": "string"
                }
              },
              "repository": {
                "$ref": "#/$defs/repository"
              },
              "scope": {
                "type": "string",
                "description": "Where its runner is registered; its repository where it is left out.",
                "minLength": 1
              },
              "headRepository": {
                "type": "integer",
                "description": "The repository that its code comes from."
              },
              "actor": {
                "type": "string"
              },
              "status": {
                "enum": [
                  "queued",
                  "waiting",
                  "in_progress",
                  "completed"
                ]
              },
              "conclusion": {
                "type": "string",
                "description": "Once it is completed.",
                "minLength": 1
              },
              "commit": {
                "type": "string"
              },
              "branch": {
                "type": "string"
              },
              "url": {
                "type": "string",
                "format": "uri"
              },
              "runner": {
                "type": "string",
                "description": "Name of the runner that runs it."
              },
              "image": {
                "type": "string",
                "description": "Image that the job asks for."
              },
              "services": {
                "type": "array",
                "description": "Images of the containers beside the job.",
                "items": {
                  "type": "string"
                }
              },
              "event": {
                "type": "string",
                "description": "What set it off, such as push."
              },
              "createdAt": {
                "type": "string",
                "format": "date-time"
              },
              "startedAt": {
                "type": "string",
                "format": "date-time"
              },
              "completedAt": {
                "type": "string",
                "format": "date-time"
              },
              "transition": {
                "type": "string",
                "description": "The same text whenever the same change is told.",
                "minLength": 1
              }
            },
            "required": [
              "id",
              "run",
              "name",
              "labels",
              "repository",
              "status",
              "commit",
              "transition"
            ],
            "if": {
              "properties": {
                "status": {
                  "const": "completed"
                }
              },
              "required": [
                "status"
              ]
            },
            "then": {
              "required": [
                "conclusion"
              ]
            }
          },
          "repository": {
            "type": "object",
            "properties": {
              "id": {
                "type": "integer",
                "description": "The platform's own number."
              },
              "name": {
                "type": "string",
                "description": "owner/name",
                "minLength": 1
              },
              "private": {
                "type": "boolean"
              },
              "defaultBranch": {
                "type": "string"
              }
            },
            "required": [
              "id",
              "name",
              "private"
            ]
          }
        }
      }
      """#,
    "source-register.parameters": #"""
      {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Parameters of source/register",
        "type": "object",
        "properties": {
          "name": {
            "type": "string",
            "description": "Of the runner.",
            "minLength": 1
          },
          "scope": {
            "type": "string"
          },
          "labels": {
            "type": "array",
            "items": {
              "type": "string"
            }
          },
          "job": {
            "type": "object",
            "properties": {
              "id": {
                "type": "integer"
              },
              "run": {
                "type": "integer"
              },
              "name": {
                "type": "string"
              },
              "repository": {
                "type": "string"
              },
              "labels": {
                "type": "array",
                "description": "As the platform spells them.",
                "items": {
                  "type": "string"
                }
              }
            },
            "required": [
              "id",
              "run",
              "name",
              "repository",
              "labels"
            ]
          }
        },
        "required": [
          "name",
          "scope",
          "labels"
        ]
      }
      """#,
    "source-register.result": #"""
      {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Result of source/register",
        "type": "object",
        "properties": {
          "id": {
            "type": "integer",
            "description": "What `source/remove` is given."
          },
          "files": {
            "type": "array",
            "items": {
              "$ref": "#/$defs/file"
            }
          },
          "command": {
            "type": "array",
            "description": "Runs this job in the runner's home.",
            "items": {
              "type": "string"
            },
            "minItems": 1
          },
          "environment": {
            "type": "object",
            "additionalProperties": {
              "type": "string"
            }
          }
        },
        "required": [
          "id",
          "files",
          "command"
        ],
        "$defs": {
          "file": {
            "type": "object",
            "properties": {
              "path": {
                "type": "string",
                "description": "Relative to the runner's home unless it begins with /.",
                "minLength": 1
              },
              "contents": {
                "type": "string",
                "description": "Base64 (RFC 4648, with padding).",
                "pattern": "^[A-Za-z0-9+/]*={0,2}$"
              },
              "mode": {
                "type": "integer",
                "description": "Permissions, such as 420 for 0644.",
                "minimum": 0,
                "maximum": 4095
              }
            },
            "required": [
              "path",
              "contents",
              "mode"
            ]
          }
        }
      }
      """#,
    "source-remove.parameters": #"""
      {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Parameters of source/remove",
        "type": "object",
        "properties": {
          "id": {
            "type": "integer"
          },
          "name": {
            "type": "string",
            "minLength": 1
          },
          "scope": {
            "type": "string"
          },
          "repository": {
            "type": "string"
          }
        },
        "required": [
          "scope",
          "repository"
        ]
      }
      """#,
    "source-remove.result": #"""
      {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Result of source/remove",
        "type": "object",
        "properties": {
          "outcome": {
            "enum": [
              "removed",
              "absent",
              "busy"
            ]
          }
        },
        "required": [
          "outcome"
        ]
      }
      """#,
    "source-report.parameters": #"""
      {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Parameters of source/report",
        "type": "object",
        "properties": {
          "job": {
            "type": "object",
            "properties": {
              "id": {
                "type": "integer"
              },
              "name": {
                "type": "string"
              },
              "commit": {
                "type": "string"
              }
            },
            "required": [
              "id",
              "name",
              "commit"
            ]
          },
          "repository": {
            "type": "string"
          },
          "status": {
            "enum": [
              "queued",
              "in_progress",
              "completed"
            ]
          },
          "conclusion": {
            "type": "string"
          },
          "title": {
            "type": "string"
          },
          "summary": {
            "type": "string"
          },
          "url": {
            "type": "string"
          },
          "handle": {
            "type": "string"
          }
        },
        "required": [
          "job",
          "repository",
          "status",
          "title",
          "summary"
        ]
      }
      """#,
    "source-report.result": #"""
      {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Result of source/report",
        "type": "object",
        "properties": {
          "handle": {
            "type": "string",
            "description": "Given again with the next report of this job."
          }
        }
      }
      """#,
    "test.yaml": #"""
      {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "test_NAME.yaml: what an author tests",
        "type": "object",
        "properties": {
          "configuration": {
            "description": "Valid configuration that the plugin is started with. ${port} stands for the helper's port, ${directory} for the plugin's private directory and ${folder} for the folder of its files, both as the plugin sees them."
          },
          "invalid": {
            "type": "array",
            "description": "Configurations that must be refused.",
            "items": {}
          },
          "helper": {
            "type": "object",
            "description": "A program beside the plugin while it is tested, such as the service that it talks to. It listens on the port in its variable PORT.",
            "properties": {
              "command": {
                "type": "array",
                "items": {
                  "type": "string",
                  "minLength": 1
                },
                "minItems": 1
              }
            },
            "required": [
              "command"
            ],
            "additionalProperties": false
          },
          "secret": {
            "type": "object",
            "description": "What the suite of the kind secrets reads.",
            "properties": {
              "path": {
                "type": "string",
                "minLength": 1
              },
              "field": {
                "type": "string",
                "minLength": 1
              }
            },
            "required": [
              "path"
            ],
            "additionalProperties": false
          },
          "image": {
            "type": "string",
            "description": "What the suite of the kind engine makes a container of, and that of the kind garm-provider a machine. ${folder} as above.",
            "minLength": 1
          },
          "tests": {
            "type": "array",
            "description": "In order, in one process. None for a garm-provider.",
            "items": {
              "$ref": "#/$defs/step"
            }
          }
        },
        "additionalProperties": false,
        "$defs": {
          "step": {
            "type": "object",
            "properties": {
              "name": {
                "type": "string",
                "description": "A sentence.",
                "minLength": 1
              },
              "call": {
                "type": "string",
                "description": "A method.",
                "minLength": 1
              },
              "notify": {
                "type": "string",
                "description": "A method without an answer.",
                "minLength": 1
              },
              "with": {
                "type": "object",
                "description": "Its parameters."
              },
              "result": {
                "description": "The result must have at least this in it; a text of … stands for anything."
              },
              "error": {
                "type": "integer",
                "description": "The code that it must be refused with."
              },
              "within": {
                "type": "number",
                "exclusiveMinimum": 0,
                "maximum": 60,
                "default": 10,
                "description": "Seconds."
              },
              "log": {
                "type": "string",
                "description": "Standard error must hold this afterwards.",
                "minLength": 1
              }
            },
            "required": [
              "name"
            ],
            "oneOf": [
              {
                "required": [
                  "call"
                ]
              },
              {
                "required": [
                  "notify"
                ]
              }
            ],
            "additionalProperties": false
          }
        }
      }
      """#,
  ]
}
