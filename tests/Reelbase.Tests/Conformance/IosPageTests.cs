using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Reelbase.Server.Platform.Security;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Conformance;

/// <summary>The page for Swift developers: its requests are replayed as they stand there, and what its Swift and its sentences name is served.</summary>
public sealed partial class IosPageTests(TestSystem system) : IClassFixture<TestSystem>
{
    private const string File = "< picture.jpg";
    private static readonly string Page = System.IO.File.ReadAllText(Repository.PathOf("docs/ios.md"));

    [Fact]
    public async Task The_requests_of_the_page_are_served_in_their_order()
    {
        var device = Guid.NewGuid().ToString();
        var nonce = Guid.NewGuid().ToString();
        var hash = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(nonce)));
        var subject = $"001.{Guid.NewGuid()}";
        var (idToken, code) = await system.PretendApple.SignInAsync(subject, "ada@example.com", hash);
        var (secondIdToken, freshCode) = await system.PretendApple.SignInAsync(subject, null, hash);
        var known = new Dictionary<string, string>
        {
            ["anon_key"] = ((AccessTokens)system.Server.Services.GetService(typeof(AccessTokens))!).CreateAnonKey(),
            ["device_id"] = device,
            ["device_token"] = Phone.TokenOf(device),
            ["key"] = Guid.NewGuid().ToString().ToUpperInvariant(),
            ["image_model_id"] = "a0000000-0000-4000-8000-00000000000a",
            ["nonce"] = nonce,
            ["id_token"] = idToken,
            ["authorization_code"] = code,
            ["second_id_token"] = secondIdToken,
            ["fresh_authorization_code"] = freshCode,
        };
        using var http = new HttpClient { BaseAddress = new Uri(system.Url), Timeout = Patience.Span };
        var requests = Block().Matches(Page).SelectMany(block => block.Groups[1].Value.Split("###\n")).Select(PageRequest.Parse).ToList();
        Assert.True(requests.Count >= 35, $"{requests.Count} requests");
        var job = "";
        foreach (var request in requests)
        {
            if (request.Body.Contains("{{signed_transaction}}", StringComparison.Ordinal) && !known.ContainsKey("signed_transaction"))
            {
                known["signed_transaction"] = (await system.PretendApple.BuyAsync(Apple.Pack25, Guid.Parse(known["user_id"]))).Signed;
            }
            using var response = await http.SendAsync(request.Fill(known));
            var text = await response.Content.ReadAsStringAsync();
            Assert.True((int)response.StatusCode == request.Status, $"{request.Method} {request.Path}: {(int)response.StatusCode} {text}");
            request.Read(response, text, known);
            if (request.Path == "/functions/v1/generate-video")
            {
                Assert.Equal(job, known["job_id"]);
            }
            job = known.GetValueOrDefault("job_id", "");
        }
        Assert.Equal(1, await system.QueryAsync<long>("select count(*) from quota_log where reason = 'video_generation'"));
    }

    /// <summary>In the Swift (`call("POST", "/...")`) and in the sentences (`POST /...`).</summary>
    [Fact]
    [Trait("Check", "yes")]
    public void What_the_page_names_is_an_operation()
    {
        using var document = JsonDocument.Parse(System.IO.File.ReadAllText(Repository.PathOf("docs/api/openapi.v1.json")));
        var operations = (
            from path in document.RootElement.GetProperty("paths").EnumerateObject()
            from operation in path.Value.EnumerateObject()
            select $"{operation.Name.ToUpperInvariant()} {path.Name}"
        ).ToList();
        var named = Named().Matches(Block().Replace(Page, "")).Select(match => $"{match.Groups[1].Value} {match.Groups[2].Value}").Distinct().ToList();
        Assert.True(named.Count > 20, string.Join(", ", named));
        var unknown = named.Where(name => !operations.Any(operation => Matches(operation, name))).ToList();
        Assert.Empty(unknown);
    }

    private static bool Matches(string operation, string name) =>
        Regex.IsMatch(name.Replace("/functions/v1/", "/", StringComparison.Ordinal), "^" + Regex.Replace(Regex.Escape(operation), @"\\\{\w+}", ".+") + "$");

    [GeneratedRegex("```http\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Block();

    [GeneratedRegex("""\b(GET|POST|PUT|PATCH|DELETE)(?: |", ")(/[^\s`"?]*)""")]
    private static partial Regex Named();

    /// <summary>A request as the page writes it: the request line, headers, a body, and what the response has.</summary>
    private sealed record PageRequest(string Method, string Path, List<(string Name, string Value)> Headers, string Body, int Status, List<string> Has)
    {
        public static PageRequest Parse(string text)
        {
            var (request, expected) = text.Split("→ ") is [var before, var after] ? (before.Trim(), after.Trim()) : throw new InvalidDataException(text);
            var (head, body) = request.IndexOf("\n\n", StringComparison.Ordinal) is var at and >= 0 ? (request[..at], request[(at + 2)..]) : (request, "");
            var lines = head.Split('\n');
            var line = lines[0].Split(' ', 2);
            var words = expected.Split(' ');
            var headers = lines.Skip(1).Select(header => header.Split(": ", 2)).Select(header => (header[0], header[1])).ToList();
            return new(line[0], line[1], headers, body, int.Parse(words[0], System.Globalization.CultureInfo.InvariantCulture), [.. words.Skip(1)]);
        }

        public HttpRequestMessage Fill(Dictionary<string, string> known)
        {
            var message = new HttpRequestMessage(new HttpMethod(Method), Insert(Path, known));
            if (Body.Length > 0)
            {
                message.Content = new ByteArrayContent(Bytes(known));
            }
            foreach (var (name, value) in Headers)
            {
                if (!message.Headers.TryAddWithoutValidation(name, Insert(value, known)))
                {
                    message.Content!.Headers.TryAddWithoutValidation(name, Insert(value, known));
                }
            }
            return message;
        }

        /// <summary>Checks what the response has, and keeps its members for the requests that follow.</summary>
        public void Read(HttpResponseMessage response, string text, Dictionary<string, string> known)
        {
            if (response.Headers.ETag is { } tag)
            {
                known["ETag"] = tag.ToString();
            }
            var isJson = response.Content.Headers.ContentType?.MediaType == "application/json" && text.StartsWith('{');
            using var document = JsonDocument.Parse(isJson ? text : "{}");
            foreach (var name in Has)
            {
                Assert.True(
                    document.RootElement.TryGetProperty(name, out _)
                        || (name == "ETag" && response.Headers.ETag is not null)
                        || name == response.Content.Headers.ContentType?.MediaType,
                    $"{Method} {Path} has no {name}: {text}"
                );
            }
            foreach (
                var member in document
                    .RootElement.EnumerateObject()
                    .Where(member => member.Value.ValueKind == JsonValueKind.String && Has.Contains(member.Name))
            )
            {
                known[member.Name] = member.Value.GetString()!;
            }
        }

        private byte[] Bytes(Dictionary<string, string> known)
        {
            // In a form the lines end as MIME wants it.
            var text = Insert(Body, known);
            text = text.StartsWith("--", StringComparison.Ordinal) ? text.Replace("\n", "\r\n", StringComparison.Ordinal) : text;
            var at = text.IndexOf(File, StringComparison.Ordinal);
            return at < 0
                ? Encoding.UTF8.GetBytes(text)
                : [.. Encoding.UTF8.GetBytes(text[..at]), .. Pictures.Jpeg(), .. Encoding.UTF8.GetBytes(text[(at + File.Length)..])];
        }

        private static string Insert(string text, Dictionary<string, string> known) =>
            Regex.Replace(
                text,
                @"\{\{(\w+)}}",
                match => known.TryGetValue(match.Groups[1].Value, out var value) ? value : throw new InvalidDataException(match.Value)
            );
    }
}
