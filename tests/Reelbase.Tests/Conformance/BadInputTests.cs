using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Conformance;

/// <summary>Bad input gets the catalogue's error and changes nothing.</summary>
[Collection(SharedProduct.Name)]
public sealed class BadInputTests(TestSystem system)
{
    private static readonly string[] PostPaths = ["/device-check", "/generate-video", "/delete-video-job", "/update-user-settings"];

    public static TheoryData<string, string> BrokenBodies()
    {
        var data = new TheoryData<string, string>();
        foreach (var path in PostPaths)
        {
            foreach (
                var body in new[]
                {
                    "",
                    "{",
                    "[]",
                    "null",
                    "5",
                    "\"text\"",
                    "{\"a\":}",
                    "{'a':1}",
                    "{\"a\":1,}",
                    "\u0000",
                    "{\"a\":1}{",
                    new string('[', 500),
                    "{\"a\":NaN}",
                }
            )
            {
                data.Add(path, body);
            }
        }
        return data;
    }

    [Theory]
    [MemberData(nameof(BrokenBodies))]
    public async Task A_body_that_is_no_object_is_malformed(string path, string body)
    {
        var phone = await system.NewGuestAsync();
        var answer = await phone.PostTextAsync(path, body, Guid.NewGuid().ToString());
        Assert.True(answer.Status == HttpStatusCode.BadRequest, answer.Text);
        Assert.Equal("ERR_4000", answer.Code);
        Assert.Equal(10, await phone.CreditsAsync());
    }

    [Theory]
    [InlineData("/device-check", """{"device_id":5,"device_token":"x"}""")]
    [InlineData("/device-check", """{"device_id":["a"],"device_token":"x"}""")]
    [InlineData("/device-check", """{"device_id":"","device_token":"x"}""")]
    [InlineData("/device-check", """{"device_id":"   ","device_token":"x"}""")]
    [InlineData("/device-check", """{"device_token":"x"}""")]
    [InlineData("/device-check", """{"device_id":"a"}""")]
    [InlineData("/generate-video", """{"model_id":7,"prompt":"wrong type"}""")]
    [InlineData("/generate-video", """{"model_id":"a0000000-0000-4000-8000-000000000001","prompt":{"a":1}}""")]
    [InlineData("/generate-video", """{"model_id":"a0000000-0000-4000-8000-000000000001","prompt":"settings","settings":[1]}""")]
    [InlineData("/generate-video", """{"model_id":"a0000000-0000-4000-8000-000000000001","prompt":"settings","settings":"none"}""")]
    [InlineData("/generate-video", """{"model_id":"a0000000-0000-4000-8000-000000000001","prompt":"one","prompt":"two"}""")]
    [InlineData("/delete-video-job", """{"job_id":true}""")]
    [InlineData("/delete-video-job", "{}")]
    [InlineData("/update-user-settings", """{"language":["en"]}""")]
    public async Task A_wrong_type_is_malformed(string path, string body)
    {
        var answer = await (await system.NewGuestAsync()).PostTextAsync(path, body, Guid.NewGuid().ToString());
        Assert.True(answer.Status == HttpStatusCode.BadRequest, answer.Text);
        Assert.Equal("ERR_4000", answer.Code);
    }

    [Theory]
    [InlineData("""{"model_id":"a0000000-0000-4000-8000-000000000001","prompt":"a\u0000b with a NUL"}""")]
    [InlineData("""{"model_id":"a0000000-0000-4000-8000-000000000001","prompt":"half a pair \ud83d"}""")]
    [InlineData("""{"model_id":"a0000000-0000-4000-8000-000000000001","prompt":"half a pair \udc00 more"}""")]
    [InlineData("""{"model_id":"a0000000-0000-4000-8000-000000000001","prompt":"fine","settings":{"resolution":"\u0000"}}""")]
    [InlineData("""{"model_id":"a0000000-0000-4000-8000-000000000001","prompt":"fine","settings":{"\ud800":"x"}}""")]
    public async Task Text_that_cannot_be_stored_is_refused(string body)
    {
        var phone = await system.NewGuestAsync();
        var answer = await phone.PostTextAsync("/generate-video", body, Guid.NewGuid().ToString());
        Assert.True(answer.Status == HttpStatusCode.BadRequest, answer.Text);
        Assert.Contains(answer.Code, new[] { "ERR_4000", "ERR_4003" });
        Assert.Equal(10, await phone.CreditsAsync());
    }

    [Fact]
    public async Task A_prompt_of_five_thousand_characters_is_too_long()
    {
        var phone = await system.NewGuestAsync();
        var answer = await phone.GenerateAsync(new string('a', 5000));
        Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
        Assert.Equal("ERR_4003", answer.Code);
        Assert.Equal(10, await phone.CreditsAsync());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_body_of_ten_megabytes_is_too_large_whether_or_not_it_says_so(bool saysSo)
    {
        var phone = await system.NewGuestAsync();
        foreach (var path in PostPaths)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, path);
            var bytes = Encoding.UTF8.GetBytes("{\"prompt\":\"" + new string('a', 10 * 1024 * 1024) + "\"}");
            request.Content = saysSo ? new ByteArrayContent(bytes) : new StreamContent(new Endless(bytes));
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
            request.Headers.TransferEncodingChunked = !saysSo;
            HttpResponseMessage response;
            try
            {
                response = await phone.Http.SendAsync(request);
            }
            catch (HttpRequestException)
            {
                // The server answered and closed before the client had sent everything, which is its right.
                continue;
            }
            var answer = await ApiResponse.ReadAsync(response);
            Assert.True(answer.Status == HttpStatusCode.RequestEntityTooLarge, $"{path}: {answer.Text}");
            Assert.Equal("ERR_4000", answer.Code);
        }
        Assert.Equal(10, await phone.CreditsAsync());
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/xml")]
    [InlineData("multipart/form-data; boundary=x")]
    public async Task Another_media_type_is_refused_with_415(string type)
    {
        var phone = await system.NewGuestAsync();
        foreach (var path in PostPaths)
        {
            using var content = new ByteArrayContent("{}"u8.ToArray());
            content.Headers.TryAddWithoutValidation("Content-Type", type);
            var answer = await ApiResponse.ReadAsync(await phone.Http.PostAsync(path, content));
            Assert.Equal(HttpStatusCode.UnsupportedMediaType, answer.Status);
            Assert.Equal("ERR_4000", answer.Code);
        }
    }

    [Theory]
    [InlineData("GET", "/no-such-thing", 404)]
    [InlineData("GET", "/device/check", 404)]
    [InlineData("GET", "/functions/v1/nothing", 404)]
    [InlineData("POST", "/generate-vidoe", 404)]
    [InlineData("POST", "/functions/v1/generate-vidoe", 404)]
    [InlineData("DELETE", "/admin/no-such-page", 404)]
    [InlineData("GET", "/generate-video", 405)]
    [InlineData("DELETE", "/get-models", 405)]
    [InlineData("PUT", "/functions/v1/device-check", 405)]
    public async Task Unknown_routes_and_methods_are_errors_of_the_catalogue(string method, string path, int status)
    {
        using var http = system.Anybody();
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        var answer = await ApiResponse.ReadAsync(await http.SendAsync(request));
        Assert.Equal(status, (int)answer.Status);
        Assert.Equal("ERR_4000", answer.Code);
        Assert.NotEmpty(answer["error"].GetProperty("trace_id").GetString()!);
    }

    [Theory]
    [InlineData("GET", "/generate-video", "POST")]
    [InlineData("DELETE", "/get-models", "GET,HEAD")]
    [InlineData("PUT", "/functions/v1/device-check", "POST")]
    [InlineData("POST", "/health/live", "GET,HEAD")]
    public async Task Who_uses_a_method_that_a_path_does_not_take_learns_which_it_takes(string method, string path, string allowed)
    {
        using var http = system.Anybody();
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        using var answer = await http.SendAsync(request);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, answer.StatusCode);
        Assert.Equal(allowed, string.Join(',', answer.Content.Headers.Allow));
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/health/live")]
    [InlineData("/health/ready")]
    [InlineData("/get-models")]
    [InlineData("/functions/v1/get-models")]
    [InlineData("/auth/v1/.well-known/jwks.json")]
    [InlineData("/openapi/v1.json")]
    [InlineData("/docs")]
    [InlineData("/get-user-profile")]
    [InlineData("/no-such-thing")]
    public async Task Head_is_answered_as_get_without_its_body(string path)
    {
        using var http = system.Anybody();
        using var request = new HttpRequestMessage(HttpMethod.Head, path);
        using var head = await http.SendAsync(request);
        using var get = await http.GetAsync(path);
        Assert.Equal(get.StatusCode, head.StatusCode);
        Assert.Equal(get.Content.Headers.ContentType, head.Content.Headers.ContentType);
        Assert.Empty(await head.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task Head_for_an_event_stream_ends_and_counts_as_no_stream()
    {
        var phone = await system.NewGuestAsync();
        var job = (await phone.GenerateAsync("Asked for its head"))["job_id"].GetString();
        using var request = new HttpRequestMessage(HttpMethod.Head, $"/get-video-status?job_id={job}");
        request.Headers.Accept.ParseAdd("text/event-stream");
        using var head = await phone.Http.SendAsync(request);
        Assert.Equal(HttpStatusCode.OK, head.StatusCode);
        Assert.Equal("application/json", head.Content.Headers.ContentType?.MediaType);
    }

    [Fact]
    public async Task The_bare_address_says_what_this_is_and_where_to_go_on()
    {
        using var http = system.Anybody();
        var root = await ApiResponse.ReadAsync(await http.GetAsync("/"));
        Assert.Equal(HttpStatusCode.OK, root.Status);
        Assert.Equal("Reelbase", root["name"].GetString());
        foreach (var link in new[] { "docs", "openapi", "health" })
        {
            Assert.Equal(HttpStatusCode.OK, (await http.GetAsync(root[link].GetString())).StatusCode);
        }
    }

    [Theory]
    [InlineData("not-a-uuid", 404)]
    [InlineData("123", 404)]
    [InlineData("", 400)]
    [InlineData("00000000-0000-0000-0000-000000000000", 404)]
    [InlineData("%00", 404)]
    [InlineData("'; drop table users; --", 404)]
    public async Task A_job_id_that_names_nothing_is_not_found(string id, int status)
    {
        var phone = await system.NewGuestAsync();
        Assert.Equal(status, (int)(await phone.GetAsync($"/get-video-status?job_id={id.Replace(" ", "%20", StringComparison.Ordinal)}")).Status);
    }

    [Fact]
    public async Task Many_headers_long_queries_and_odd_numbers_are_answered_and_never_with_a_500()
    {
        var phone = await system.NewGuestAsync();
        foreach (
            var path in new[]
            {
                "/get-credit-history?before=99999999999999999999",
                "/get-credit-history?before=-1",
                "/get-credit-history?before=abc",
                "/get-credit-history?limit=999999999999",
                "/get-video-jobs?before=nothing",
                "/get-video-jobs?q=" + new string('x', 3000),
                "/get-video-jobs?q=%00",
                "/get-video-jobs?offset=999999999",
                "/get-user-credits?user_id=" + new string('9', 4000),
                "/get-user-credits?user_id=%00",
                "/auth/v1/logout?scope=nobody",
                "/storage/v1/object/sign/videos/%00?token=x",
                "/storage/v1/object/authenticated/videos/%00",
            }
        )
        {
            var answer = await phone.GetAsync(path);
            Assert.True((int)answer.Status is >= 400 and < 500, $"{path} answered {(int)answer.Status}: {answer.Text}");
        }
    }

    /// <summary>A stream that does not state its length.</summary>
    private sealed class Endless(byte[] bytes) : MemoryStream(bytes)
    {
        public override bool CanSeek => false;
    }
}
