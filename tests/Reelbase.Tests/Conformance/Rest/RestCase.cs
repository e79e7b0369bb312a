using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using YamlDotNet.RepresentationModel;

namespace Reelbase.Tests.Conformance.Rest;

/// <summary>One request with the answer that PostgREST gives.</summary>
public sealed class RestCase
{
    public required string Name { get; init; }
    public required string Feature { get; init; }
    public required string Method { get; init; }
    public required string Path { get; init; }
    public required Dictionary<string, string> Headers { get; init; }
    public required string? Body { get; init; }
    public required IReadOnlyList<string> Preconditions { get; init; }
    public required int Status { get; init; }
    public required Dictionary<string, string> ExpectedHeaders { get; init; }
    public required IReadOnlyList<string> AbsentHeaders { get; init; }
    public required bool HasBody { get; init; }
    public required JsonNode? ExpectedBody { get; init; }
    public required IReadOnlyList<(string Path, string Value)> Places { get; init; }

    /// <summary>Reads a file of the shared cases.</summary>
    public static RestCase Load(string file)
    {
        var yaml = new YamlStream();
        using (var reader = new StreamReader(file))
        {
            yaml.Load(reader);
        }
        var root = (YamlMappingNode)yaml.Documents[0].RootNode;
        var request = (YamlMappingNode)root["request"];
        var expect = (YamlMappingNode)root["expect"];
        var body = Find(request, "body");
        return new()
        {
            Name = System.IO.Path.GetFileNameWithoutExtension(file),
            Feature = Text(root["feature"]),
            Method = Text(request["method"]),
            Path = Text(request["path"]),
            Headers = Pairs(Find(request, "headers")),
            Body =
                body is YamlScalarNode { Style: not YamlDotNet.Core.ScalarStyle.Plain } raw ? raw.Value
                : body is null ? null
                : Json(body)?.ToJsonString(),
            Preconditions = [.. (Find(root, "preconditions") as YamlSequenceNode)?.Select(Text) ?? []],
            Status = int.Parse(Text(expect["status"]), System.Globalization.CultureInfo.InvariantCulture),
            ExpectedHeaders = Pairs(Find(expect, "headers")),
            AbsentHeaders = [.. (Find(expect, "headers_absent") as YamlSequenceNode)?.Select(Text) ?? []],
            HasBody = Find(expect, "body_exact") is not null,
            ExpectedBody = Find(expect, "body_exact") is { } exact ? Json(exact) : null,
            Places =
            [
                .. (Find(expect, "body_jsonpath") as YamlSequenceNode)?.Cast<YamlMappingNode>().Select(each => (Text(each["path"]), Text(each["equals"])))
                    ?? [],
            ],
        };
    }

    /// <summary>Sends it and says what is wrong with the answer; nothing: all is as PostgREST does it.</summary>
    public async Task<List<string>> RunAsync(HttpClient client, string prefix)
    {
        using var request = new HttpRequestMessage(new HttpMethod(Method), prefix + Path.Replace("#", "%23", StringComparison.Ordinal));
        if (Body is not null)
        {
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(Body));
            request.Content.Headers.TryAddWithoutValidation("Content-Type", Headers.GetValueOrDefault("Content-Type", "application/json"));
        }
        foreach (var (name, value) in Headers.Where(header => header.Key != "Content-Type"))
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }
        using var response = await client.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        var headers = response
            .Headers.Concat(response.Content.Headers)
            .ToDictionary(header => header.Key, header => string.Join(", ", header.Value), StringComparer.OrdinalIgnoreCase);
        var wrong = new List<string>();
        if ((int)response.StatusCode != Status)
        {
            wrong.Add($"status {(int)response.StatusCode} instead of {Status}: {text}");
            return wrong;
        }
        foreach (var (name, value) in ExpectedHeaders)
        {
            var found = headers.GetValueOrDefault(name);
            if (found?.Replace(" ", "", StringComparison.Ordinal) != value.Replace(" ", "", StringComparison.Ordinal))
            {
                wrong.Add($"{name}: {found ?? "(none)"} instead of {value}");
            }
        }
        wrong.AddRange(
            AbsentHeaders.Where(name => headers.ContainsKey(name) && !(name == "Content-Length" && Status == 204)).Select(name => $"{name} is there")
        );
        if (HasBody)
        {
            Compare(text, wrong);
        }
        foreach (var (path, value) in Places)
        {
            var found = JsonNode.Parse(text)![path[2..]]?.ToString();
            if (found != value)
            {
                wrong.Add($"{path}: {found} instead of {value}");
            }
        }
        return wrong;
    }

    private void Compare(string text, List<string> wrong)
    {
        var isEmpty = ExpectedBody is null || (ExpectedBody.GetValueKind() == JsonValueKind.String && ExpectedBody.GetValue<string>().Length == 0);
        if (isEmpty ? text.Length > 0 : !JsonNode.DeepEquals(Parse(text), ExpectedBody))
        {
            wrong.Add($"body {text} instead of {ExpectedBody?.ToJsonString()}");
        }
    }

    private static JsonNode? Parse(string text)
    {
        try
        {
            return JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            return JsonValue.Create(text);
        }
    }

    private static YamlNode? Find(YamlMappingNode node, string key) => node.Children.TryGetValue(new YamlScalarNode(key), out var value) ? value : null;

    private static string Text(YamlNode node) => ((YamlScalarNode)node).Value ?? "";

    private static Dictionary<string, string> Pairs(YamlNode? node) =>
        (node as YamlMappingNode)?.Children.ToDictionary(pair => Text(pair.Key), pair => Text(pair.Value)) ?? [];

    private static JsonNode? Json(YamlNode node) =>
        node switch
        {
            YamlSequenceNode list => new JsonArray([.. list.Select(Json)]),
            YamlMappingNode map => new JsonObject(map.Children.Select(pair => KeyValuePair.Create(Text(pair.Key), Json(pair.Value)))),
            YamlScalarNode { Style: YamlDotNet.Core.ScalarStyle.Plain, Value: var plain } => plain switch
            {
                null or "" or "null" or "~" => null,
                "true" => true,
                "false" => false,
                _ when System.Text.RegularExpressions.Regex.IsMatch(plain, "^-?[0-9]+(\\.[0-9]+)?$") => JsonNode.Parse(plain),
                _ => plain,
            },
            YamlScalarNode scalar => scalar.Value,
            _ => null,
        };
}
