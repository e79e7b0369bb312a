using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Reelbase.Server.Platform.Security;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Conformance;

/// <summary>Requests as the SDKs for Dart and Python send them, where those differ from JavaScript's and Swift's; replayed, since neither runs here.</summary>
public sealed class OtherSdkTests(TestSystem system) : IClassFixture<TestSystem>
{
    private string AnonKey => system.Server.Services.GetRequiredService<AccessTokens>().CreateAnonKey();

    [Theory]
    [InlineData("supabase-flutter/2.10.3", """{"data":null,"gotrue_meta_security":{"captcha_token":null}}""")]
    [InlineData("supabase-py/2.24.0", """{"data":{},"gotrue_meta_security":{"captcha_token":null}}""")]
    public async Task A_guest_signs_up_reads_itself_refreshes_and_leaves(string client, string signUp)
    {
        var session = await SendAsync(HttpMethod.Post, "/auth/v1/signup", AnonKey, signUp, client);
        Assert.True(session.Status == HttpStatusCode.OK, session.Text);
        var token = session["access_token"].GetString()!;
        var user = await SendAsync(HttpMethod.Get, "/auth/v1/user", token, null, client);
        Assert.Equal(session["user"].GetProperty("id").GetString(), user["id"].GetString());
        var refresh = new { refresh_token = session["refresh_token"].GetString() };
        var next = await SendAsync(HttpMethod.Post, "/auth/v1/token?grant_type=refresh_token", AnonKey, JsonSerializer.Serialize(refresh), client);
        Assert.True(next.Status == HttpStatusCode.OK, next.Text);
        Assert.Equal(JsonValueKind.Number, next["expires_in"].ValueKind);
        // Both say that a body is JSON where there is none.
        var left = await SendAsync(HttpMethod.Post, "/auth/v1/logout?scope=local", next["access_token"].GetString()!, "", client);
        Assert.Equal(HttpStatusCode.NoContent, left.Status);
    }

    [Theory]
    // Dart: a part without a name whose file has no name either; names of headers in lower case.
    [InlineData("content-disposition: form-data; name=\"cacheControl\"\r\n\r\n3600", "content-disposition: form-data; name=\"\"; filename=\"\"")]
    // Python: a part of the name file.
    [InlineData("Content-Disposition: form-data; name=\"cacheControl\"\r\n\r\n3600", "Content-Disposition: form-data; name=\"file\"; filename=\"cat.jpg\"")]
    public async Task A_picture_is_uploaded_signed_read_listed_and_removed(string field, string file)
    {
        var phone = await system.NewGuestAsync();
        var name = $"{phone.UserId}/{Guid.NewGuid():N}.jpg";
        var picture = Pictures.Jpeg();
        byte[] body = [.. Encoding.ASCII.GetBytes($"--b\r\n{field}\r\n--b\r\n{file}\r\ncontent-type: image/jpeg\r\n\r\n"), .. picture, .. "\r\n--b--\r\n"u8];
        using var content = new ByteArrayContent(body);
        content.Headers.ContentType = MediaTypeHeaderValue.Parse("multipart/form-data; boundary=b");
        using var upload = new HttpRequestMessage(HttpMethod.Post, $"/storage/v1/object/uploads/{name}") { Content = content };
        upload.Headers.Add("x-upsert", "false");
        upload.Headers.Add("apikey", AnonKey);
        var stored = await ApiResponse.ReadAsync(await phone.Http.SendAsync(upload));
        Assert.True(stored.Status == HttpStatusCode.OK, stored.Text);
        Assert.Equal($"uploads/{name}", stored["Key"].GetString());
        var signed = await SendAsync(HttpMethod.Post, $"/storage/v1/object/sign/uploads/{name}", phone.AccessToken!, """{"expiresIn":60}""");
        using var anybody = system.Anybody();
        Assert.Equal(picture, await anybody.GetByteArrayAsync("/storage/v1" + signed["signedURL"].GetString()));
        var listed = await SendAsync(
            HttpMethod.Post,
            "/storage/v1/object/list/uploads",
            phone.AccessToken!,
            $$"""{"prefix":"{{phone.UserId}}","limit":100,"offset":0,"sortBy":{"column":"name","order":"asc"},"search":null}"""
        );
        Assert.Contains(name[37..], listed.Text, StringComparison.Ordinal);
        var removed = await SendAsync(HttpMethod.Delete, "/storage/v1/object/uploads", phone.AccessToken!, $$"""{"prefixes":["{{name}}"]}""");
        Assert.True(removed.Status == HttpStatusCode.OK, removed.Text);
    }

    [Theory]
    [InlineData("1.0.0")]
    [InlineData("")]
    public async Task A_channel_in_the_form_of_objects_hears_of_its_own_row(string version)
    {
        var phone = await system.NewGuestAsync();
        using var client = await ChannelClient.OpenAsync(system.Url, AnonKey, version);
        // Dart repeats the token under a second name, Python numbers no heartbeat.
        await client.SendTextAsync(
            $$"""{"topic":"realtime:mine","event":"phx_join","payload":{"config":{"broadcast":{"ack":false,"self":false,"replay":null},"presence":{"key":"","enabled":false},"postgres_changes":[{"event":"UPDATE","schema":"public","table":"users","filter":"id=eq.{{phone.UserId}}"}],"private":false},"access_token":"{{phone.AccessToken}}","user_token":"{{phone.AccessToken}}"},"ref":"1","join_ref":"1"}"""
        );
        var reply = await client.ReplyAsync("1");
        Assert.Equal("ok", reply.Status);
        var entry = Assert.Single(reply.Payload.GetProperty("response").GetProperty("postgres_changes").EnumerateArray().ToList());
        Assert.Equal(
            ("UPDATE", "public", "users", $"id=eq.{phone.UserId}"),
            (Text(entry, "event"), Text(entry, "schema"), Text(entry, "table"), Text(entry, "filter"))
        );
        await client.SendTextAsync("""{"topic":"phoenix","event":"heartbeat","payload":{},"ref":""}""");
        Assert.Equal("ok", (await client.ReplyAsync("")).Status);
        await client.SendTextAsync(
            $$"""{"topic":"realtime:mine","event":"access_token","payload":{"access_token":"{{phone.AccessToken}}"},"ref":"3","join_ref":"1"}"""
        );
        await system.ExecuteAsync($"update users set theme_preference = 'dark' where id = '{phone.UserId}'");
        var change = await client.ChangeAsync();
        Assert.Equal("dark", change.Payload.GetProperty("data").GetProperty("record").GetProperty("theme_preference").GetString());
        await client.SendTextAsync("""{"topic":"realtime:mine","event":"phx_leave","payload":{},"ref":"4","join_ref":"1"}""");
        Assert.Equal("ok", (await client.ReplyAsync("4")).Status);
    }

    private static string? Text(JsonElement element, string name) => element.GetProperty(name).GetString();

    private async Task<ApiResponse> SendAsync(HttpMethod method, string path, string bearer, string? body, string client = "supabase-py/2.24.0")
    {
        using var http = system.Anybody();
        using var request = new HttpRequestMessage(method, path);
        request.Headers.Add("apikey", AnonKey);
        request.Headers.Add("X-Client-Info", client);
        request.Headers.Add("X-Supabase-Api-Version", "2024-01-01");
        request.Headers.Authorization = new("Bearer", bearer);
        request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
        return await ApiResponse.ReadAsync(await http.SendAsync(request));
    }
}
