using System.Text.Json.Nodes;
using Reelbase.Server.Platform.Database;

namespace Reelbase.Server.Features.Supabase.Rest;

/// <summary>What a caller finds under the root: the tables they are granted, as OpenAPI 2.</summary>
internal static class RestDescription
{
    public static string Write(RestCatalog catalog, string schema, Caller caller, RestOptions options)
    {
        var paths = new JsonObject();
        var definitions = new JsonObject();
        foreach (var relation in catalog.Relations.Where(relation => relation.Schema == schema && (relation.IsGuarded || options.ServeWithoutRowSecurity)))
        {
            var columns = relation.Granted(caller).ToList();
            if (columns.Count == 0)
            {
                continue;
            }
            var methods = new JsonObject { ["get"] = Operation(relation) };
            if (relation.Insertable && relation.Columns.Any(column => column.Insert.Contains(caller.Role)))
            {
                methods["post"] = Operation(relation);
            }
            if (relation.Updatable && relation.Columns.Any(column => column.Update.Contains(caller.Role)))
            {
                methods["patch"] = Operation(relation);
            }
            if (relation.Deletable && relation.Deleters.Contains(caller.Role))
            {
                methods["delete"] = Operation(relation);
            }
            paths["/" + relation.Name] = methods;
            var properties = new JsonObject();
            foreach (var column in columns)
            {
                properties[column.Name] = new JsonObject { ["type"] = JsonType(column.BaseType), ["format"] = column.Type };
            }
            definitions[relation.Name] = new JsonObject { ["type"] = "object", ["properties"] = properties };
        }
        return new JsonObject
        {
            ["swagger"] = "2.0",
            ["info"] = new JsonObject { ["title"] = "Reelbase REST", ["version"] = "1" },
            ["basePath"] = "/rest/v1",
            ["paths"] = paths,
            ["definitions"] = definitions,
        }.ToJsonString(Platform.Http.Json.Options);
    }

    private static JsonObject Operation(RestRelation relation) =>
        new()
        {
            ["tags"] = new JsonArray(relation.Name),
            ["responses"] = new JsonObject { ["200"] = new JsonObject { ["description"] = "OK" } },
        };

    private static string JsonType(string type) =>
        type switch
        {
            "smallint" or "integer" or "bigint" => "integer",
            "real" or "double precision" or "numeric" => "number",
            "boolean" => "boolean",
            _ when type.EndsWith("[]", StringComparison.Ordinal) => "array",
            _ => "string",
        };
}
