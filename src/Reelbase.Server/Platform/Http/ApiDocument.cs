using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.Extensions.Options;
using Microsoft.OpenApi;

namespace Reelbase.Server.Platform.Http;

/// <summary>Completes the OpenAPI document with what handlers read by themselves: parameters, the bearer token, examples.</summary>
public static class ApiDocument
{
    private const string Response = "Response";

    /// <summary>Sets the document up.</summary>
    public static void Configure(OpenApiOptions options)
    {
        // Clients' generated code carries these names, and their generators make a type of their own called "…Response" for each operation.
        options.CreateSchemaReferenceId = type =>
            OpenApiOptions.CreateDefaultSchemaReferenceId(type) is { } name && name.EndsWith(Response, StringComparison.Ordinal)
                ? name[..^Response.Length] + "Answer"
                : OpenApiOptions.CreateDefaultSchemaReferenceId(type);
        options.AddDocumentTransformer(
            (document, context, _) =>
            {
                document.Info = new OpenApiInfo
                {
                    Title = "Reelbase",
                    Version = "v1",
                    Description = "The backend of an AI video app: guests, credits, generations.",
                };
                // The address depends on where it is asked for, and would make every copy of the document different; a sub-path does not.
                document.Servers = context.ApplicationServices.GetRequiredService<IOptions<ServerOptions>>().Value.PathBase is { Length: > 0 } below
                    ? [new() { Url = below }]
                    : [];
                Sort(document);
                document.Components ??= new();
                document.Components.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>
                {
                    ["bearer"] = new OpenApiSecurityScheme
                    {
                        Type = SecuritySchemeType.Http,
                        Scheme = "bearer",
                        BearerFormat = "JWT",
                        Description = "The access token of a session.",
                    },
                };
                return Task.CompletedTask;
            }
        );
        options.AddSchemaTransformer(
            (schema, context, _) =>
            {
                // Texts and times have converters of our own, which hide from the generator what they write.
                if (
                    context.JsonTypeInfo.Type == typeof(string)
                    || context.JsonTypeInfo.Type == typeof(DateTime)
                    || context.JsonTypeInfo.Type == typeof(DateTime?)
                )
                {
                    var isNullable = context.JsonPropertyInfo is { IsGetNullable: true } || context.JsonTypeInfo.Type == typeof(DateTime?);
                    schema.Type = isNullable ? JsonSchemaType.String | JsonSchemaType.Null : JsonSchemaType.String;
                }
                return Task.CompletedTask;
            }
        );
        options.AddOperationTransformer(
            (operation, context, _) =>
            {
                if (HttpMethods.IsHead(context.Description.HttpMethod ?? ""))
                {
                    // Ids are unique in a document; both methods of a file route carry the route's name.
                    operation.OperationId += "-head";
                }
                foreach (var metadata in context.Description.ActionDescriptor.EndpointMetadata)
                {
                    switch (metadata)
                    {
                        case ParameterMetadata parameter:
                            operation.Parameters ??= [];
                            operation.Parameters.Add(
                                new OpenApiParameter
                                {
                                    Name = parameter.Name,
                                    In = parameter.IsHeader ? ParameterLocation.Header : ParameterLocation.Query,
                                    Required = parameter.IsRequired,
                                    Description = parameter.Description,
                                    Schema = new OpenApiSchema { Type = JsonSchemaType.String },
                                }
                            );
                            break;
                        case RequiresUserMetadata:
                            operation.Security = [new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference("bearer", context.Document)] = [] }];
                            break;
                        case RequestExampleMetadata { Example: var example }
                            when operation.RequestBody?.Content?.Values.FirstOrDefault() is OpenApiMediaType content:
                            content.Example = ToNode(example);
                            break;
                        case ResponseExampleMetadata { Example: var example }
                            when operation.Responses?.GetValueOrDefault("200")?.Content?.Values.FirstOrDefault() is OpenApiMediaType content:
                            content.Example = ToNode(example);
                            break;
                    }
                }
                return Task.CompletedTask;
            }
        );
    }

    /// <summary>By name, so that who maps a route first changes no copy of the document and no client that is generated from it.</summary>
    private static void Sort(OpenApiDocument document)
    {
        var paths = new OpenApiPaths();
        foreach (var (path, item) in document.Paths.OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            paths.Add(path, item);
        }
        document.Paths = paths;
        document.Tags = document.Tags?.OrderBy(tag => tag.Name, StringComparer.Ordinal).ToHashSet();
    }

    private static JsonNode? ToNode(object value) => JsonSerializer.SerializeToNode(value, Json.Options);
}
