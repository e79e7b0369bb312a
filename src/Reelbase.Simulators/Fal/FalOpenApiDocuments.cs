using System.Text.Json.Nodes;

namespace Reelbase.Simulators.Fal;

/// <summary>The OpenAPI document of an endpoint, in the shape in which fal publishes one: the submission beside calls on a request, schemas by reference.</summary>
public static class FalOpenApiDocuments
{
    public static IResult Respond(string? endpoint_id) =>
        endpoint_id is null || !VendorSchemas.Fal.Has(endpoint_id)
            ? Results.Json(new { detail = "Application not found" }, statusCode: 404)
            : Results.Json(Make(endpoint_id));

    private static JsonObject Make(string endpoint)
    {
        JsonObject Reference(string name) => new() { ["$ref"] = $"#/components/schemas/{name}" };
        JsonObject Json(JsonObject schema) => new() { ["application/json"] = new JsonObject { ["schema"] = schema } };
        return new()
        {
            ["openapi"] = "3.0.4",
            ["info"] = new JsonObject
            {
                ["title"] = $"Queue OpenAPI for {endpoint}",
                ["version"] = "1.0.0",
                ["x-fal-metadata"] = new JsonObject { ["endpointId"] = endpoint },
            },
            ["components"] = new JsonObject
            {
                ["schemas"] = new JsonObject
                {
                    ["Input"] = JsonNode.Parse(VendorSchemas.Fal.InputOf(endpoint).GetRawText()),
                    ["QueueStatus"] = new JsonObject { ["type"] = "object" },
                },
            },
            ["paths"] = new JsonObject
            {
                [$"/{endpoint}/requests/{{request_id}}/cancel"] = new JsonObject { ["put"] = new JsonObject() },
                [$"/{endpoint}"] = new JsonObject
                {
                    ["post"] = new JsonObject
                    {
                        ["requestBody"] = new JsonObject { ["required"] = true, ["content"] = Json(Reference("Input")) },
                        ["responses"] = new JsonObject { ["200"] = new JsonObject { ["content"] = Json(Reference("QueueStatus")) } },
                    },
                },
            },
        };
    }
}
