using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Reelbase.Server.Platform.Errors;
using Reelbase.Server.Platform.Security;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Platform;

/// <summary>What the Application Security Verification Standard asks for and no other test shows; docs/security-asvs.md names each.</summary>
[Collection(SharedProduct.Name)]
public sealed partial class VerificationStandardTests(TestSystem system)
{
    [Theory]
    [InlineData("/get-models")]
    [InlineData("/get-user-credits")]
    [InlineData("/no-such-thing")]
    [InlineData("/openapi/v1.json")]
    [InlineData("/auth/v1/user")]
    [InlineData("/storage/v1/object/videos/x")]
    [InlineData("/health/live")]
    [InlineData("/docs")]
    public async Task Every_answer_has_a_policy_that_allows_nothing_it_does_not_need(string path)
    {
        using var http = system.Anybody();
        using var answer = await http.GetAsync(path);
        var policy = Assert.Single(answer.Headers.GetValues("Content-Security-Policy"));
        Assert.All(
            ["default-src 'none'", "object-src 'none'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"],
            rule => Assert.Contains(rule, policy, StringComparison.Ordinal)
        );
        if (path != "/docs")
        {
            Assert.Contains("; sandbox", policy, StringComparison.Ordinal);
            return;
        }
        // Its scripts carry the number of this one answer; nothing else runs.
        var scripts = policy.Split("; ").Single(rule => rule.StartsWith("script-src", StringComparison.Ordinal));
        Assert.Matches("^script-src 'nonce-[\\w-]{20,}'$", scripts);
        var nonce = scripts["script-src 'nonce-".Length..^1];
        var page = await answer.Content.ReadAsStringAsync();
        Assert.Equal(page.Split("<script").Length, page.Split($"nonce=\"{nonce}\"").Length);
        Assert.DoesNotContain(nonce, await http.GetStringAsync("/docs"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/get-models", "application/json; charset=utf-8")]
    [InlineData("/get-user-credits", "application/json; charset=utf-8")]
    [InlineData("/no-such-thing", "application/json; charset=utf-8")]
    [InlineData("/auth/v1/user", "application/json; charset=utf-8")]
    [InlineData("/auth/v1/.well-known/jwks.json", "application/json; charset=utf-8")]
    [InlineData("/storage/v1/object/videos/x", "application/json; charset=utf-8")]
    [InlineData("/health/live", "application/json; charset=utf-8")]
    [InlineData("/openapi/v1.json", "application/json; charset=utf-8")]
    [InlineData("/docs", "text/html; charset=utf-8")]
    [InlineData("/metrics", "text/plain; charset=utf-8")]
    public async Task Every_body_has_a_type_and_text_says_its_letters(string path, string type)
    {
        using var http = system.Anybody();
        using var answer = await http.GetAsync(path);
        Assert.NotEmpty(await answer.Content.ReadAsByteArrayAsync());
        var said = answer.Content.Headers.ContentType!;
        Assert.Equal(type, $"{said.MediaType}; charset={said.CharSet}");
    }

    [Theory]
    [InlineData("TRACE", "/get-models")]
    [InlineData("TRACK", "/get-models")]
    [InlineData("TRACE", "/")]
    [InlineData("DEBUG", "/health/live")]
    [InlineData("PROPFIND", "/storage/v1/object/videos/x")]
    public async Task Trace_and_other_methods_that_nobody_offers_are_refused(string method, string path)
    {
        using var http = system.Anybody();
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        request.Headers.Add("X-Echo", "what-i-sent");
        using var answer = await http.SendAsync(request);
        Assert.Contains(answer.StatusCode, (HttpStatusCode[])[HttpStatusCode.MethodNotAllowed, HttpStatusCode.NotFound]);
        Assert.DoesNotContain("what-i-sent", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Content-Length: 4\r\nContent-Length: 44\r\n")]
    [InlineData("Content-Length: 4, 44\r\n")]
    [InlineData("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n")]
    [InlineData("Transfer-Encoding: xchunked\r\n")]
    [InlineData("Transfer-Encoding: chunked, identity\r\n")]
    [InlineData("Transfer-Encoding : chunked\r\n")]
    [InlineData("Transfer-Encoding:\vchunked\r\n")]
    public async Task A_request_whose_length_is_ambiguous_hides_no_second_one(string lengths)
    {
        const string smuggled = "GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        var uri = new Uri(system.Url);
        using var client = new TcpClient();
        await client.ConnectAsync(uri.Host, uri.Port);
        await using var stream = client.GetStream();
        await stream.WriteAsync(
            Encoding.ASCII.GetBytes($"POST /device-check HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{lengths}\r\n0\r\n\r\n{smuggled}")
        );
        using var reader = new StreamReader(stream);
        using var limit = Patience.Limit();
        var answers = await reader.ReadToEndAsync(limit.Token);
        Assert.StartsWith("HTTP/1.1 400", answers, StringComparison.Ordinal);
        if (!lengths.Contains("Content-Length: 4\r\nTransfer-Encoding", StringComparison.Ordinal))
        {
            Assert.DoesNotContain("\"live\"", answers, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("/.git/config")]
    [InlineData("/.git/HEAD")]
    [InlineData("/.env")]
    [InlineData("/appsettings.json")]
    [InlineData("/Reelbase.Server.dll")]
    [InlineData("/Reelbase.Server.runtimeconfig.json")]
    [InlineData("/keys/token-secret")]
    [InlineData("/wwwroot/")]
    [InlineData("/database/")]
    [InlineData("/storage/v1/object/videos/")]
    [InlineData("/storage/v1/object/sign/videos/")]
    [InlineData("/storage/v1/object/videos/..%2f..%2fkeys%2ftoken-secret")]
    [InlineData("/storage/v1/object/sign/videos/../../keys/token-secret?token=x")]
    [InlineData("/%2e%2e/%2e%2e/etc/passwd")]
    [InlineData("//etc/passwd")]
    public async Task No_folder_no_source_and_no_setting_is_served(string path)
    {
        var uri = new Uri(system.Url);
        using var client = new TcpClient();
        await client.ConnectAsync(uri.Host, uri.Port);
        await using var stream = client.GetStream();
        // As it is written: a client of .NET would resolve the dots itself.
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"));
        using var reader = new StreamReader(stream);
        var answer = await reader.ReadToEndAsync();
        Assert.Matches("^HTTP/1.1 4(00|01|03|04) ", answer);
        Assert.DoesNotContain("root:", answer, StringComparison.Ordinal);
        Assert.DoesNotContain("Index of", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nobody_is_sent_from_http_to_https()
    {
        await using var node = system.BuildServer(new() { ["Server:PublicUrl"] = "https://127.0.0.1" }, "Production");
        await node.StartAsync();
        using var http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = new Uri(TestSystem.AddressOf(node)) };
        using var models = await http.GetAsync("/get-models");
        Assert.Equal(HttpStatusCode.OK, models.StatusCode);
        using var generate = await http.PostAsJsonAsync("/generate-video", new { prompt = "x" });
        Assert.Equal(HttpStatusCode.Unauthorized, generate.StatusCode);
        await node.StopAsync();
    }

    [Fact]
    public async Task What_a_page_of_somebody_else_can_send_changes_nothing()
    {
        // A foreign page can send without being asked first: GET, HEAD, and POST of forms and text, with whatever cookies there are.
        // In Development pages of any origin may call.
        await using var node = system.BuildServer(new() { ["Server:PublicUrl"] = "https://127.0.0.1" }, "Production");
        await node.StartAsync();
        var phone = await system.NewGuestAsync();
        using var http = new HttpClient { BaseAddress = new Uri(TestSystem.AddressOf(node)) };
        http.DefaultRequestHeaders.Add("Origin", "https://evil.example");
        http.DefaultRequestHeaders.Add("Cookie", $"sb-access-token={phone.AccessToken}; reelbase_admin={phone.AccessToken}");
        foreach (var path in new[] { "/generate-video", "/delete-account", "/update-user-settings", "/update-credits", "/auth/v1/logout" })
        {
            using var read = await http.GetAsync($"{path}?user_id={phone.UserId}&access_token={phone.AccessToken}");
            Assert.Contains(read.StatusCode, (HttpStatusCode[])[HttpStatusCode.MethodNotAllowed, HttpStatusCode.NotFound]);
            foreach (var type in new[] { "text/plain", "application/x-www-form-urlencoded", "multipart/form-data" })
            {
                using var body = new StringContent("{\"user_id\":\"" + phone.UserId + "\"}", Encoding.UTF8, type);
                using var sent = await http.PostAsync($"{path}?access_token={phone.AccessToken}", body);
                Assert.Contains(sent.StatusCode, (HttpStatusCode[])[HttpStatusCode.Unauthorized, HttpStatusCode.UnsupportedMediaType]);
                Assert.False(sent.Headers.Contains("Access-Control-Allow-Origin"));
            }
            using var asked = new HttpRequestMessage(HttpMethod.Options, path);
            asked.Headers.Add("Access-Control-Request-Method", "POST");
            asked.Headers.Add("Access-Control-Request-Headers", "authorization");
            using var preflight = await http.SendAsync(asked);
            Assert.False(preflight.Headers.Contains("Access-Control-Allow-Origin"));
        }
        Assert.Equal(10, await phone.CreditsAsync());
        await node.StopAsync();
    }

    [Fact]
    public async Task A_token_of_another_kind_key_or_audience_opens_nothing()
    {
        var phone = await system.NewGuestAsync();
        var keys = system.Server.Services.GetRequiredService<Keys>();
        var tokens = system.Server.Services.GetRequiredService<AccessTokens>();
        var claims = new JsonWebToken(phone.AccessToken).Claims.ToDictionary(claim => claim.Type, claim => (object)claim.Value);
        claims["exp"] = DateTimeOffset.UtcNow.AddMinutes(5).ToUnixTimeSeconds();
        claims.Remove("iat");
        claims.Remove("amr");
        var ours = new SigningCredentials(keys.Signing, SecurityAlgorithms.EcdsaSha256);
        Assert.Equal(HttpStatusCode.OK, await AskAsync(Sign(claims, ours)));
        // Our own signature, for somebody else, or for nobody.
        Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync(Sign(With(claims, "aud", "files"), ours)));
        Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync(Sign(With(claims, "aud", null), ours)));
        Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync(Sign(With(claims, "role", "reelbase_owner"), ours)));
        Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync(Sign(With(claims, "session_id", null), ours)));
        Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync(tokens.CreateAnonKey()));
        // The published key as if it were a secret; the key that files are signed with; a key that the token itself brings along.
        var published = keys.Public[0].ECDsa.ExportSubjectPublicKeyInfo();
        Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync(Sign(claims, new(new SymmetricSecurityKey(published), SecurityAlgorithms.HmacSha256))));
        var files = new SymmetricSecurityKey(keys.Derive("file addresses"));
        Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync(Sign(claims, new(files, SecurityAlgorithms.HmacSha256))));
        using var own = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var brought = JsonWebKeyConverter.ConvertFromECDsaSecurityKey(new ECDsaSecurityKey(own));
        var header = new Dictionary<string, object>
        {
            ["jku"] = "https://evil.example/keys.json",
            ["jwk"] = new Dictionary<string, object>
            {
                ["kty"] = "EC",
                ["crv"] = "P-256",
                ["x"] = brought.X,
                ["y"] = brought.Y,
            },
        };
        var forged = new SigningCredentials(new ECDsaSecurityKey(own) { KeyId = keys.Signing.KeyId }, SecurityAlgorithms.EcdsaSha256);
        Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync(Sign(claims, forged, header)));
        var unsigned = $"{Base64UrlEncoder.Encode("""{"alg":"none","typ":"JWT"}""")}.{phone.AccessToken.Split('.')[1]}.";
        Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync(unsigned));
        Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync(phone.RefreshToken));
        // And a session is no address of a file.
        using var http = system.Anybody();
        using var file = await http.GetAsync($"/storage/v1/object/sign/videos/{phone.UserId}/x.mp4?token={phone.AccessToken}");
        Assert.Equal(HttpStatusCode.Forbidden, file.StatusCode);
    }

    [Fact]
    public async Task A_parameter_that_is_given_twice_counts_once()
    {
        var (mine, other) = (await system.NewGuestAsync(), await system.NewGuestAsync());
        // Of a query the first counts, for the check as for the answer.
        var first = await mine.GetAsync($"/get-user-credits?user_id={mine.UserId}&user_id={other.UserId}");
        Assert.Equal(HttpStatusCode.OK, first.Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await mine.GetAsync($"/get-user-credits?user_id={other.UserId}&user_id={mine.UserId}")).Status);
        // In a body neither counts.
        var body = await mine.PostTextAsync("/update-user-settings", "{\"language\":\"tr\",\"language\":\"es\"}");
        Assert.Equal((HttpStatusCode.BadRequest, "ERR_4000"), (body.Status, body.Code));
        // Nor does a header that is there twice.
        using var http = system.Anybody();
        http.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", [$"Bearer {mine.AccessToken}", $"Bearer {other.AccessToken}"]);
        using var twice = await http.GetAsync("/get-user-credits");
        Assert.Equal(HttpStatusCode.Unauthorized, twice.StatusCode);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/generate-video") { Content = JsonContent.Create(new { prompt = "x" }) };
        request.Headers.Add("Idempotency-Key", [Guid.NewGuid().ToString(), Guid.NewGuid().ToString()]);
        var keys = await ApiResponse.ReadAsync(await mine.Http.SendAsync(request));
        Assert.Equal("ERR_4008", keys.Code);
    }

    [Fact]
    public async Task A_query_over_rest_is_bounded_in_depth_width_and_rows_and_names_are_no_sql()
    {
        using var http = system.Anybody();
        http.DefaultRequestHeaders.Add("apikey", system.Server.Services.GetRequiredService<AccessTokens>().CreateAnonKey());
        string Nested(string open, string inside, string close, int depth) =>
            string.Concat(Enumerable.Repeat(open, depth)) + inside + string.Concat(Enumerable.Repeat(close, depth));
        foreach (
            var query in new[]
            {
                "or=(" + Nested("and(", "name.eq.x", ")", 60) + ")",
                "select=" + Nested("themes(", "id", ")", 60),
                "select=" + string.Join(',', Enumerable.Repeat("id", 3000)),
                string.Join('&', Enumerable.Range(0, 500).Select(n => $"name=neq.{n}")),
                "select=id%3Bdrop%20table%20users",
                "select=id\"%20from%20users--",
                "order=id)%20limit%201;--",
                "id\";drop%20table%20users;--=eq.1",
            }
        )
        {
            using var answer = await http.GetAsync("/rest/v1/models?" + query);
            Assert.True((int)answer.StatusCode is >= 400 and < 500, $"{query[..Math.Min(query.Length, 60)]}: {answer.StatusCode}");
        }
        // What may be asked is cut to the most rows that an answer has.
        using var all = await http.GetAsync("/rest/v1/models?select=id&limit=99999999999999999999");
        Assert.Equal(HttpStatusCode.OK, all.StatusCode);
        Assert.InRange(JsonDocument.Parse(await all.Content.ReadAsStringAsync()).RootElement.GetArrayLength(), 1, 1000);
        Assert.True(await system.QueryAsync<bool>("select to_regclass('public.users') is not null"));
    }

    [Fact]
    public async Task Only_the_grants_that_apps_need_are_offered()
    {
        using var http = system.Anybody();
        foreach (var grant in new[] { "password", "authorization_code", "client_credentials", "implicit", "pkce", "web3", "" })
        {
            using var answer = await http.PostAsJsonAsync(
                $"/auth/v1/token?grant_type={grant}",
                new
                {
                    email = "a@b.example",
                    password = "x",
                    auth_code = "x",
                }
            );
            Assert.Contains((int)answer.StatusCode, (int[])[400, 422]);
        }
        foreach (var path in new[] { "/auth/v1/signup", "/auth/v1/otp", "/auth/v1/recover", "/auth/v1/magiclink", "/auth/v1/authorize" })
        {
            using var answer = await http.PostAsJsonAsync(path, new { email = "a@b.example", password = "x" });
            Assert.InRange((int)answer.StatusCode, 400, 499);
        }
    }

    [Fact]
    public async Task A_refused_sign_in_leaves_a_row()
    {
        using var http = system.Anybody();
        var token = "A" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(20));
        var query =
            "select count(*) from error_log where error_code = 'ERR_4005' and endpoint like '%auth/v1/token' and error_details ->> 'reason' = 'refresh_token_not_found'"
            + " and trace_id is not null and created_at > now() - interval '1 hour'";
        // Of an address and a route only the first five of a minute are rows, and those of other tests are written when they come: asked again until it is among them.
        await Eventually.IsAsync(
            async () =>
            {
                await system.ExecuteAsync("delete from error_log where endpoint like '%auth/v1/token'");
                using var refused = await http.PostAsJsonAsync("/auth/v1/token?grant_type=refresh_token", new { refresh_token = token });
                Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
                await Task.Delay(TimeSpan.FromSeconds(0.5));
                return await system.QueryAsync<long>(query);
            },
            count => count > 0
        );
        Assert.Empty(await system.RowsAsync($"select error_details from error_log where error_details::text like '%{token}%'"));
        await Eventually.IsAsync(
            async () =>
            {
                await system.ExecuteAsync("delete from error_log where endpoint like '%object/sign%'");
                using var file = await http.GetAsync("/storage/v1/object/sign/videos/x.mp4?token=nonsense");
                Assert.Equal(HttpStatusCode.Forbidden, file.StatusCode);
                await Task.Delay(TimeSpan.FromSeconds(0.5));
                return await system.QueryAsync<long>(
                    "select count(*) from error_log where error_code = 'ERR_4006' and error_details ->> 'reason' = 'InvalidSignature'"
                );
            },
            count => count > 0
        );
    }

    [Fact]
    public async Task An_error_of_ours_says_nothing_of_its_inside()
    {
        var writer = system.Server.Services.GetRequiredService<ErrorWriter>();
        await using var scope = system.Server.Services.CreateAsyncScope();
        using var body = new MemoryStream();
        var context = new DefaultHttpContext { RequestServices = scope.ServiceProvider, Response = { Body = body } };
        await writer.TryHandleAsync(
            context,
            new InvalidOperationException("Host=db.internal;Password=hunter2 in /srv/reelbase/Secret.cs"),
            CancellationToken.None
        );
        var said = Encoding.UTF8.GetString(body.ToArray());
        Assert.Equal(500, context.Response.StatusCode);
        var error = JsonDocument.Parse(said).RootElement.GetProperty("error");
        Assert.Equal("ERR_6003", error.GetProperty("code").GetString());
        Assert.NotEmpty(error.GetProperty("trace_id").GetString()!);
        Assert.DoesNotMatch("hunter2|db\\.internal|InvalidOperation|Secret\\.cs|   at ", said);
    }

    private static Dictionary<string, object> With(Dictionary<string, object> claims, string name, string? value)
    {
        var changed = new Dictionary<string, object>(claims);
        changed.Remove(name);
        if (value is not null)
        {
            changed[name] = value;
        }
        return changed;
    }

    private static string Sign(Dictionary<string, object> claims, SigningCredentials credentials, Dictionary<string, object>? header = null) =>
        new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(
            new SecurityTokenDescriptor
            {
                Claims = claims,
                SigningCredentials = credentials,
                AdditionalHeaderClaims = header,
            }
        );

    private async Task<HttpStatusCode> AskAsync(string token)
    {
        using var http = system.Anybody();
        http.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", $"Bearer {token}");
        using var answer = await http.GetAsync("/get-user-credits");
        return answer.StatusCode;
    }
}
