using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Reelbase.Server.Platform.Errors;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Campaigns;

/// <summary>
/// Every operation of the API document with generated input, good and bad: no answer is a 500, each has a status and a shape that the document
/// names, and every error is one of the catalogue in the language that was asked for.
/// </summary>
[Campaign]
public sealed class GeneratedRequestTests(GeneratedRequestTests.Installation system) : IClassFixture<GeneratedRequestTests.Installation>
{
    private static readonly int Requests = Campaign.Share(5000, 100_000);

    private static readonly string[] Languages = ["en", "tr", "es"];
    internal static readonly (string Header, string Language)[] AcceptedLanguages =
    [
        ("", "en"),
        ("tr", "tr"),
        ("es-MX,es;q=0.9", "es"),
        ("de, tr;q=0.8, es;q=0.9", "es"),
        ("en;q=0.1, tr;q=0.2", "tr"),
        ("zz, *;q=0.5", "en"),
        (";;;q=,,", "en"),
    ];

    /// <summary>No limits, quick failures, and workers that have better things to do.</summary>
    public sealed class Installation : TestSystem
    {
        protected override bool HasConsole => true;

        protected override Dictionary<string, string?> Settings =>
            new()
            {
                ["Fal:Concurrency"] = "1",
                ["Generation:QueueDeadlineSeconds"] = "3600",
                ["Alerts:ActivitySeconds"] = "0",
            };
    }

    [Fact]
    public async Task Every_request_gets_an_answer_that_the_document_names()
    {
        using var http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = new Uri(system.Url) };
        var document = await http.GetFromJsonAsync<JsonElement>("/openapi/v1.json");
        var schemas = new Schemas(document);
        var operations = (
            from path in document.GetProperty("paths").EnumerateObject()
            from operation in path.Value.EnumerateObject()
            select (Path: path.Name, Method: operation.Name.ToUpperInvariant(), Definition: operation.Value)
        ).ToList();
        var members = await Crowd.MakeAsync(system, 20, 100_000);
        var job = await JobAsync(http, members[0]);
        var wrong = new ConcurrentQueue<string>();
        var seen = new ConcurrentDictionary<string, int>();
        await Crowd.EachAsync(
            Enumerable.Range(0, Requests),
            async number =>
            {
                var random = new Random(Campaign.Seed + number);
                var (path, method, definition) = operations[number % operations.Count];
                var accept = AcceptedLanguages[random.Next(AcceptedLanguages.Length)];
                using var request = Generate(random, path, method, definition, members, job, accept.Header);
                var sent = $"{number}: {method} {request.RequestUri}";
                using var answer = await http.SendAsync(request);
                var text = await answer.Content.ReadAsStringAsync();
                seen.AddOrUpdate($"{(int)answer.StatusCode}", 1, (_, count) => count + 1);
                foreach (var fault in Judge(answer, text, definition, schemas, accept.Language))
                {
                    wrong.Enqueue($"{sent} -> {(int)answer.StatusCode} {fault}: {text[..Math.Min(300, text.Length)]}");
                }
            }
        );
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{Campaign.Repeat}: " + string.Join(", ", seen.OrderBy(pair => pair.Key).Select(pair => $"{pair.Key} × {pair.Value}"))
        );
        Assert.True(wrong.IsEmpty, $"{Campaign.Repeat}, {wrong.Count} wrong\n" + string.Join('\n', wrong.Take(15)));
        Assert.True(seen.GetValueOrDefault("200") > Requests / 20 && seen.GetValueOrDefault("400") > Requests / 20, string.Join(' ', seen));
        await system.AssertLedgerAsync();
    }

    internal static IEnumerable<string> Judge(HttpResponseMessage answer, string text, JsonElement definition, Schemas schemas, string language)
    {
        var status = ((int)answer.StatusCode).ToString(System.Globalization.CultureInfo.InvariantCulture);
        // Routing itself refuses what no operation takes; before it, a line of a request that is too long.
        var isRouting = status is "404" or "405" or "414" or "415" or "413" or "400";
        if (!definition.GetProperty("responses").TryGetProperty(status, out var response) && !isRouting)
        {
            yield return "is not in the document";
            yield break;
        }
        if (text.Length == 0 || answer.Content.Headers.ContentType?.MediaType != "application/json")
        {
            // A line of a request that is too long is refused before there is a request, so there is nobody to write JSON.
            if ((int)answer.StatusCode is >= 400 and not 414 && answer.RequestMessage!.Method != HttpMethod.Head)
            {
                yield return "has no JSON";
            }
            yield break;
        }
        var json = JsonDocument.Parse(text).RootElement;
        if (
            response.ValueKind == JsonValueKind.Object
            && response.TryGetProperty("content", out var content)
            && content.TryGetProperty("application/json", out var media)
            && media.TryGetProperty("schema", out var schema)
            && (
                json.ValueKind != JsonValueKind.Object
                || (!json.TryGetProperty("statusCode", out _) && !json.TryGetProperty("error_code", out _) && !json.TryGetProperty("error_description", out _))
            )
        )
        {
            foreach (var fault in schemas.Faults(json, schema))
            {
                yield return fault;
            }
        }
        if (
            (int)answer.StatusCode >= 400
            && json.ValueKind == JsonValueKind.Object
            && json.TryGetProperty("error", out var error)
            && error.ValueKind == JsonValueKind.Object
        )
        {
            var entry = ErrorCatalog.All.SingleOrDefault(one => one.Code == error.GetProperty("code").GetString());
            if (entry is null)
            {
                yield return "is not of the catalogue";
            }
            else if (
                !Languages
                    .Where(one => one == language)
                    .Any(one =>
                        error.GetProperty("message").GetString()!.StartsWith(entry.Message(one, error.GetProperty("details")), StringComparison.Ordinal)
                    )
            )
            {
                yield return $"is not in {language}";
            }
        }
    }

    internal static HttpRequestMessage Generate(
        Random random,
        string path,
        string method,
        JsonElement definition,
        List<Crowd.Member> members,
        string job,
        string language,
        string? admin = null
    )
    {
        var member = members[random.Next(members.Count)];
        var query = new List<string>();
        foreach (var parameter in definition.TryGetProperty("parameters", out var all) ? all.EnumerateArray() : [])
        {
            var name = parameter.GetProperty("name").GetString()!;
            var value = Uri.EscapeDataString(Value(random, name, member, job));
            if (parameter.GetProperty("in").GetString() == "path")
            {
                // A NUL in a path never gets as far as us: the web server itself hangs up on it.
                path = path.Replace(
                    $"{{{name}}}",
                    value.Length == 0 || value.Contains("%00", StringComparison.Ordinal) ? "x" : value,
                    StringComparison.Ordinal
                );
            }
            else if (parameter.GetProperty("in").GetString() == "query" && random.Next(4) > 0)
            {
                query.Add($"{name}={value}");
            }
        }
        var request = new HttpRequestMessage(
            new HttpMethod(method),
            (
                random.Next(5) == 0
                && !path.StartsWith("/auth", StringComparison.Ordinal)
                && !path.StartsWith("/storage", StringComparison.Ordinal)
                && !path.StartsWith("/health", StringComparison.Ordinal)
                && !path.StartsWith("/webhooks", StringComparison.Ordinal)
                    ? "/functions/v1"
                    : ""
            )
                + path
                + (query.Count == 0 ? "" : "?" + string.Join('&', query))
        );
        if (definition.TryGetProperty("requestBody", out var body))
        {
            // Nobody leaves for good in here, or there would soon be nobody left to ask.
            var isFinal = path is "/delete-account" or "/merge-guest-user";
            request.Content = Body(random, body, member, job, isFinal);
        }
        var token = random.Next(10) switch
        {
            0 => null,
            1 => Ascii(random),
            2 => members[random.Next(members.Count)].Token,
            _ => member.Token,
        };
        if (path is "/delete-account" or "/auth/v1/logout" && token is { Length: > 100 })
        {
            token = token[..^10] + "AAAAAAAAAA";
        }
        token = admin ?? token;
        if (token is not null)
        {
            request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + token.ReplaceLineEndings("").Replace("\0", "", StringComparison.Ordinal));
        }
        request.Headers.TryAddWithoutValidation("Idempotency-Key", random.Next(4) == 0 ? Ascii(random) : Guid.NewGuid().ToString());
        if (language.Length > 0)
        {
            request.Headers.TryAddWithoutValidation("Accept-Language", language);
        }
        return request;
    }

    private static HttpContent Body(Random random, JsonElement definition, Crowd.Member member, string job, bool isFinal)
    {
        if (random.Next(12) == 0)
        {
            string[] broken =
            [
                "",
                "{",
                "null",
                "[]",
                "\"text\"",
                "5",
                "{\"a\":1,\"a\":2}",
                "{\"user_id\":\"\\u0000\"}",
                new string('[', 500),
                "{\"x\":" + new string('9', 400) + "}",
            ];
            return new StringContent(broken[random.Next(broken.Length)], Encoding.UTF8, random.Next(3) == 0 ? "text/plain" : "application/json");
        }
        var json = new JsonObject();
        if (
            definition.GetProperty("content").TryGetProperty("application/json", out var media)
            && media.TryGetProperty("example", out var example)
            && example.ValueKind == JsonValueKind.Object
        )
        {
            foreach (var field in example.EnumerateObject())
            {
                if (random.Next(6) > 0)
                {
                    json[field.Name] = random.Next(4) == 0 && !isFinal ? Anything(random) : Sensible(random, field.Name, field.Value, member, job);
                }
            }
        }
        // Who has chosen a language gets it, whatever the header says; here the header is to be seen.
        json.Remove("language");
        foreach (var extra in new[] { "user_id", "model_id", "theme_id", "prompt", "settings", "image_url", "job_id", "transaction_id", Ascii(random) })
        {
            if (random.Next(8) == 0)
            {
                json[extra] = random.Next(3) == 0 ? Anything(random) : Value(random, extra, member, job);
            }
        }
        return new StringContent(json.ToJsonString(), Encoding.UTF8, "application/json");
    }

    private static JsonNode? Sensible(Random random, string name, JsonElement example, Crowd.Member member, string job) =>
        name is "job_id" or "user_id" or "model_id" ? Value(random, name, member, job) : JsonNode.Parse(example.GetRawText());

    private static string Value(Random random, string name, Crowd.Member member, string job) =>
        random.Next(5) == 0
            ? Text(random)
            : name switch
            {
                "user_id" => random.Next(3) == 0 ? Guid.NewGuid().ToString() : member.UserId.ToString(),
                "job_id" or "before" => random.Next(2) == 0 ? job : Guid.NewGuid().ToString(),
                "model_id" => Catalog.FastModel,
                "theme_id" => Catalog.BoatTheme,
                "limit" or "offset" => random.Next(-5, 200).ToString(System.Globalization.CultureInfo.InvariantCulture),
                "status" => "pending",
                "bucket" => "videos",
                "grant_type" => random.Next(2) == 0 ? "refresh_token" : "id_token",
                "scope" => random.Next(2) == 0 ? "others" : "nonsense",
                "provider" => "fal",
                _ => Text(random),
            };

    private static JsonNode? Anything(Random random) =>
        random.Next(8) switch
        {
            0 => null,
            1 => random.Next(),
            2 => random.NextDouble() * 1e300,
            3 => random.Next(2) == 0,
            4 => new JsonArray(1, "two", null),
            5 => new JsonObject { ["deep"] = new JsonObject { ["er"] = Text(random) } },
            _ => Text(random),
        };

    private static string Text(Random random)
    {
        string[] texts =
        [
            "",
            " ",
            "'; drop table users; --",
            "../../etc/passwd",
            "%00%2e%2e",
            "\u0000",
            "\ud83d\ude00 ağaç İstanbul ñandú",
            new string('a', 3000),
            "null",
            "-1",
            "9999999999999999999999",
            "{\"a\":1}",
            "<script>alert(1)</script>",
            "${jndi:ldap://x}",
            "\t\r\n",
            Guid.Empty.ToString(),
            "00000000-0000-0000-0000-00000000000g",
        ];
        return random.Next(3) == 0 ? Ascii(random) : texts[random.Next(texts.Length)];
    }

    private static string Ascii(Random random) => new([.. Enumerable.Range(0, random.Next(1, 40)).Select(_ => (char)random.Next(33, 127))]);

    internal static async Task<string> JobAsync(HttpClient http, Crowd.Member member)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/generate-video")
        {
            Content = JsonContent.Create(new { model_id = Catalog.FastModel, prompt = "One to ask about" }),
            Headers = { Authorization = new AuthenticationHeaderValue("Bearer", member.Token) },
        };
        request.Headers.Add("Idempotency-Key", Guid.NewGuid().ToString());
        using var answer = await http.SendAsync(request);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("job_id").GetString()!;
    }
}
