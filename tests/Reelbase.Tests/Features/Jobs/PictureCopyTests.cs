using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>A picture at a foreign address that shows the moderation service one thing and would show the provider another.</summary>
public sealed class PictureCopyTests(PictureCopyTests.Watched system) : IClassFixture<PictureCopyTests.Watched>
{
    /// <summary>A product with a service that fetches the pictures that it is shown, beside a server that answers differently each time.</summary>
    public sealed class Watched : TestSystem
    {
        /// <summary>How often each path of the foreign server was asked.</summary>
        public ConcurrentDictionary<string, int> Asked { get; } = new();

        /// <summary>What the service has seen.</summary>
        public ConcurrentQueue<(string Prompt, string? Url, byte[] Bytes)> Seen { get; } = new();

        protected override Dictionary<string, string?> Settings =>
            new()
            {
                ["Moderation:ServiceUrl"] = $"{SimulatorsUrl}/moderation",
                ["Moderation:TimeoutSeconds"] = "30",
                ["Moderation:PictureTimeoutSeconds"] = "15",
                ["Uploads:MaxMegabytes"] = "1",
                ["Uploads:UserFiles"] = "3",
            };

        protected override void MapMore(WebApplication simulators)
        {
            simulators.MapPost(
                "/moderation",
                async (JsonElement body) =>
                {
                    var url = body.TryGetProperty("image_url", out var given) ? given.GetString() : null;
                    using var http = new HttpClient();
                    var bytes = url is null ? [] : await http.GetByteArrayAsync(url);
                    var prompt = body.GetProperty("input").GetString()!;
                    Seen.Enqueue((prompt, url, bytes));
                    return Results.Json(new { results = new[] { new { flagged = prompt.Contains("flag me", StringComparison.Ordinal) } } });
                }
            );
            simulators.MapGet(
                "/foreign/{kind}/{name}",
                async (string kind, string name, HttpContext context) =>
                {
                    var time = Asked.AddOrUpdate($"{kind}/{name}", 1, (_, before) => before + 1);
                    switch (kind)
                    {
                        case "changing":
                            return Results.Bytes(time == 1 ? Pictures.Jpeg(1280, 720) : Pictures.Png(), "image/jpeg");
                        case "once":
                            return time == 1 ? Results.Bytes(Pictures.Jpeg(1280, 720), "image/jpeg") : Results.NotFound();
                        case "inside":
                            return Results.Redirect("http://169.254.169.254/latest/meta-data");
                        case "page":
                            return Results.Text("<script>alert(1)</script>", "image/jpeg");
                        case "large":
                            return Results.Bytes(Pictures.Jpeg(padding: 2 * 1024 * 1024), "image/jpeg");
                        case "heic":
                            return Results.Bytes(Pictures.Heic(), "image/heic");
                        case "slow":
                            await Task.Delay(Timeout.Infinite, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
                            return Results.NoContent();
                        default:
                            return Results.NotFound();
                    }
                }
            );
        }
    }

    [Fact]
    public async Task What_moderation_sees_is_what_the_provider_gets_although_the_server_answers_otherwise_the_second_time()
    {
        var phone = await system.NewGuestAsync(1000);
        // It is under way for as long as its link is used.
        var prompt = $"Changes [slow 600] {phone.UserId}";
        var accepted = await PressAsync(phone, "changing", prompt);
        Assert.True(accepted.Status == HttpStatusCode.OK, accepted.Text);
        var link = (await InputAsync(accepted)).GetProperty("image_url").GetString()!;
        using var provider = new HttpClient();
        var handed = await provider.GetByteArrayAsync(link);
        var seen = system.Seen.Single(entry => entry.Prompt == prompt);
        Assert.Equal(Pictures.Jpeg(1280, 720), seen.Bytes);
        Assert.Equal(seen.Bytes, handed);
        Assert.All(new[] { seen.Url!, link }, url => Assert.StartsWith(system.Url, url, StringComparison.Ordinal));
        Assert.Equal(1, system.Asked[$"changing/{phone.UserId}.jpg"]);
        system.FinishAtFal(prompt);
        Assert.Equal("completed", (await phone.WatchAsync(accepted["job_id"].GetString()!))[^1].GetProperty("status").GetString());
    }

    [Fact]
    public async Task A_repeated_key_finds_its_answer_also_when_the_foreign_picture_is_gone_and_leaves_no_second_copy()
    {
        var phone = await system.NewGuestAsync(1000);
        var key = Guid.NewGuid();
        var first = await PressAsync(phone, "once", "Comes twice", key);
        Assert.True(first.Status == HttpStatusCode.OK, first.Text);
        var again = await PressAsync(phone, "once", "Comes twice", key);
        Assert.Equal((HttpStatusCode.OK, first["job_id"].GetString()), (again.Status, again["job_id"].GetString()));
        Assert.Equal("true", again.Raw.Headers.GetValues("X-Idempotent-Replay").Single());
        Assert.Equal(1L, await UploadsAsync(phone));
        // The same with one that is still there: the second copy goes.
        var changing = Guid.NewGuid();
        var one = await PressAsync(phone, "changing", "Comes twice", changing);
        Assert.True(one.Status == HttpStatusCode.OK, one.Text);
        Assert.Equal(one["job_id"].GetString(), (await PressAsync(phone, "changing", "Comes twice", changing))["job_id"].GetString());
        Assert.Equal(2L, await UploadsAsync(phone));
        await phone.WatchAsync(first["job_id"].GetString()!);
        await phone.WatchAsync(one["job_id"].GetString()!);
    }

    [Theory]
    [InlineData("missing", "not_fetched")]
    [InlineData("inside", "not_fetched")]
    [InlineData("slow", "not_fetched")]
    [InlineData("page", "picture_type")]
    [InlineData("heic", "picture_type")]
    [InlineData("large", "not_fetched")]
    public async Task What_cannot_be_copied_is_refused_before_anything_is_charged_and_nothing_of_it_stays(string kind, string reason)
    {
        var phone = await system.NewGuestAsync(1000);
        var credits = await phone.CreditsAsync();
        var answer = await PressAsync(phone, kind, "Is not there");
        Assert.Equal(("ERR_4003", reason), (answer.Code, answer["error"].GetProperty("details").GetProperty("reason").GetString()));
        Assert.Equal(credits, await phone.CreditsAsync());
        Assert.Equal(0L, await UploadsAsync(phone));
    }

    [Fact]
    public async Task A_copy_is_one_of_its_users_pictures_counts_in_their_quota_and_goes_when_the_request_is_refused()
    {
        var phone = await system.NewGuestAsync(1000);
        Assert.Equal("ERR_5003", (await PressAsync(phone, "changing", "Please flag me")).Code);
        Assert.Equal(0L, await UploadsAsync(phone));
        for (var at = 0; at < 3; at++)
        {
            var put = await UploadTests.SendAsync(phone, HttpMethod.Put, $"uploads/{phone.UserId}/{at}.jpg", Pictures.Jpeg(), "image/jpeg");
            Assert.True(put.Status == HttpStatusCode.OK, put.Text);
        }
        var full = await PressAsync(phone, "changing", "There is no room");
        Assert.Equal(("ERR_4012", "too_many_files"), (full.Code, full["error"].GetProperty("details").GetProperty("reason").GetString()));
    }

    [Fact]
    public async Task A_copy_that_its_user_removes_meanwhile_refuses_the_press()
    {
        var phone = await system.NewGuestAsync(1000);
        var credits = await phone.CreditsAsync();
        await using var trigger = await TriggerAsync("uploads", phone, "delete from uploads where object_id = new.object_id");
        var answer = await PressAsync(phone, "changing", "Is removed");
        Assert.Equal(("ERR_4003", "not_found"), (answer.Code, answer["error"].GetProperty("details").GetProperty("reason").GetString()));
        Assert.Equal(credits, await phone.CreditsAsync());
    }

    [Fact]
    public async Task A_copy_stays_when_nobody_knows_whether_its_press_was_accepted()
    {
        var phone = await system.NewGuestAsync(1000);
        await using var trigger = await TriggerAsync("video_jobs", phone, "raise exception 'the connection breaks' using errcode = '40003'");
        Assert.False((await PressAsync(phone, "changing", "Is lost")).Raw.IsSuccessStatusCode);
        Assert.Equal(1L, await UploadsAsync(phone));
    }

    /// <summary>Something happens to each new row of one user, until the test is over.</summary>
    private async Task<Planted> TriggerAsync(string table, Phone phone, string statement)
    {
        var name = "test_" + Guid.NewGuid().ToString("N");
        await system.ExecuteAsync(
            $"""
            create function {name}() returns trigger language plpgsql security definer set search_path = public as $f$ begin {statement}; return null; end $f$;
            create trigger {name} after insert on {table} for each row when (new.user_id = '{phone.UserId}') execute function {name}();
            """
        );
        return new(() => system.ExecuteAsync($"drop trigger {name} on {table}; drop function {name}()"));
    }

    private Task<ApiResponse> PressAsync(Phone phone, string kind, string prompt, Guid? key = null) =>
        phone.PostAsync(
            "/generate-video",
            new
            {
                model_id = Catalog.ImageModel,
                prompt,
                image_url = $"{system.SimulatorsUrl}/foreign/{kind}/{phone.UserId}.jpg",
            },
            key ?? Guid.NewGuid()
        );

    private Task<long> UploadsAsync(Phone phone) => system.QueryAsync<long>($"select count(*) from uploads where user_id = '{phone.UserId}'");

    private Task<JsonElement> InputAsync(ApiResponse accepted) =>
        Eventually.IsAsync(
            async () =>
            {
                var ids = await system.RowsAsync(
                    $"select provider_job_id from video_jobs where job_id = '{accepted["job_id"]}' and provider_job_id is not null"
                );
                var requests = (await system.Control.GetFromJsonAsync<JsonElement>("/_control/fal/requests")).GetProperty("requests").EnumerateArray();
                return
                    requests.FirstOrDefault(request => ids.Contains(request.GetProperty("request_id").GetString()!))
                        is { ValueKind: JsonValueKind.Object } found
                    ? found.GetProperty("input")
                    : default;
            },
            input => input.ValueKind == JsonValueKind.Object
        );
}
