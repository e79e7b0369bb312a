using System.Net;
using System.Text.Json;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>A picture on its way from a user to a provider, which fetches it by itself and refuses what it cannot read.</summary>
public sealed class PictureChainTests(PictureChainTests.Product system) : IClassFixture<PictureChainTests.Product>
{
    /// <summary>The product.</summary>
    public sealed class Product : TestSystem;

    [Fact]
    public async Task Every_model_on_offer_that_takes_a_picture_makes_a_video_of_an_uploaded_one()
    {
        var models = await system.RowsAsync(
            "select id from models where is_available and (required_fields ->> 'requires_image')::boolean order by provider, provider_model_id"
        );
        Assert.Equal(10, models.Count);
        foreach (var model in models)
        {
            var phone = await system.NewGuestAsync(1000);
            var name = await UploadAsync(phone, "uploads", "start.jpg");
            var last = await WatchAsync(phone, await PressAsync(phone, model, name));
            Assert.True(last.GetProperty("status").GetString() == "completed", $"{model}: {last}");
        }
    }

    [Fact]
    public async Task However_it_is_addressed_the_provider_gets_a_link_that_lives_as_long_as_the_job()
    {
        var phone = await system.NewGuestAsync(1000);
        var name = await UploadAsync(phone, "thumbnails", "INPUT_1.JPG");
        var upper = name.Replace(phone.UserId.ToString(), phone.UserId.ToString().ToUpperInvariant(), StringComparison.Ordinal);
        var signed = (await phone.PostAsync($"/storage/v1/object/sign/{name}", new { expiresIn = 1 }))["signedURL"].GetString();
        foreach (
            var address in new[]
            {
                // As the shipped app builds it.
                $"{system.Url}/storage/v1/object/public/{upper}",
                $"{system.Url}//storage/v1/object/public/{upper}",
                $"{system.Url}/storage/v1/object/authenticated/{name}",
                $"{system.Url}/storage/v1{signed}",
                name,
                "/" + upper,
            }
        )
        {
            // It is under way for as long as its link is used.
            var prompt = $"It begins with a picture [slow 600] {Guid.NewGuid()}";
            var accepted = await PressAsync(phone, Catalog.ImageModel, address, prompt);
            Assert.True(accepted.Status == HttpStatusCode.OK, $"{address}: {accepted.Text}");
            var link = (await InputAsync(accepted)).GetProperty("image_url").GetString()!;
            Assert.DoesNotContain(phone.UserId.ToString(), link, StringComparison.OrdinalIgnoreCase);
            using var anybody = new HttpClient();
            using var read = await anybody.GetAsync(link);
            Assert.Equal((HttpStatusCode.OK, "image/jpeg"), (read.StatusCode, read.Content.Headers.ContentType?.ToString()));
            system.FinishAtFal(prompt);
            var last = await WatchAsync(phone, accepted);
            Assert.True(last.GetProperty("status").GetString() == "completed", last.ToString());
            using var after = await anybody.GetAsync(link);
            Assert.Equal(HttpStatusCode.NotFound, after.StatusCode);
        }
    }

    [Fact]
    public async Task What_is_anothers_gone_or_no_picture_for_a_model_is_refused_before_anything_is_charged()
    {
        var (ada, ben) = (await system.NewGuestAsync(1000), await system.NewGuestAsync(1000));
        var his = await UploadAsync(ben, "thumbnails", "his.jpg");
        var signed = (await ben.PostAsync($"/storage/v1/object/sign/{his}", new { expiresIn = 600 }))["signedURL"].GetString();
        var hers = await UploadAsync(ada, "uploads", "hers.heic", Pictures.Heic());
        var credits = await ada.CreditsAsync();
        foreach (
            var (address, reason) in new[]
            {
                (his, "not_found"),
                ($"{system.Url}/storage/v1/object/public/{his}", "not_found"),
                ($"{system.Url}/storage/v1{signed}", "not_found"),
                ($"uploads/{ada.UserId}/never.jpg", "not_found"),
                ($"{system.Url}/storage/v1/object/public/thumbnails/../../keys", "not_found"),
                ($"{system.Url}/health/ready", "not_a_public_address"),
                ($"pictures/{ada.UserId}/x.jpg", "not_an_address"),
                (hers, "picture_type"),
            }
        )
        {
            var answer = await PressAsync(ada, Catalog.ImageModel, address);
            Assert.True(answer.Code == "ERR_4003", $"{address}: {answer.Text}");
            Assert.Equal(reason, answer["error"].GetProperty("details").GetProperty("reason").GetString());
        }
        Assert.Equal(credits, await ada.CreditsAsync());
    }

    [Fact]
    public async Task The_same_key_finds_its_answer_also_when_the_picture_is_gone_and_however_it_is_addressed()
    {
        var phone = await system.NewGuestAsync(1000);
        var name = await UploadAsync(phone, "uploads", "once.jpg");
        var key = Guid.NewGuid();
        var first = await PressAsync(phone, Catalog.ImageModel, name, key: key);
        Assert.True(first.Status == HttpStatusCode.OK, first.Text);
        await WatchAsync(phone, first);
        await RemoveAsync(phone, name);
        var again = await PressAsync(phone, Catalog.ImageModel, $"{system.Url}/storage/v1/object/authenticated/{name}", key: key);
        Assert.True(again.Status == HttpStatusCode.OK, again.Text);
        Assert.Equal(first["job_id"].GetString(), again["job_id"].GetString());
        Assert.Equal("not_found", (await PressAsync(phone, Catalog.ImageModel, name))["error"].GetProperty("details").GetProperty("reason").GetString());
    }

    [Fact]
    public async Task A_picture_that_is_deleted_or_replaced_while_its_job_waits_is_handed_to_nobody_and_the_credits_come_back()
    {
        foreach (var isReplaced in new[] { false, true })
        {
            var phone = await system.NewGuestAsync(1000);
            var name = await UploadAsync(phone, "uploads", "waits.jpg");
            var before = await phone.CreditsAsync();
            await using var held = await system.HoldProviderAsync("fal");
            var accepted = await PressAsync(phone, Catalog.ImageModel, name, "Waits " + Guid.NewGuid());
            Assert.True(accepted.Status == HttpStatusCode.OK, accepted.Text);
            await (isReplaced ? UploadAsync(phone, "uploads", "waits.jpg", Pictures.Png()) : RemoveAsync(phone, name));
            await held.EndAsync();
            var last = await WatchAsync(phone, accepted);
            Assert.Equal(("failed", "ERR_5004"), (last.GetProperty("status").GetString(), last.GetProperty("error_code").GetString()));
            Assert.Equal(before, await phone.CreditsAsync());
            Assert.Equal(default, await FindInputAsync(accepted));
        }
    }

    [Fact]
    public async Task A_picture_that_the_provider_cannot_read_fails_and_refunds_on_both_providers()
    {
        var runway = (await system.RowsAsync("select id from models where provider = 'runway' and (required_fields ->> 'requires_image')::boolean limit 1"))[0];
        foreach (var model in new[] { Catalog.ImageModel, runway })
        {
            var phone = await system.NewGuestAsync(1000);
            var name = await UploadAsync(phone, "uploads", "broken.jpg");
            // What is in the store is not what its row says any more.
            var stored = await system.QueryAsync<string>($"select name from storage_objects where user_id = '{phone.UserId}'");
            await File.WriteAllTextAsync(Path.Combine(system.DataDirectory, "storage", "pictures", stored), "not what it was");
            var before = await phone.CreditsAsync();
            var last = await WatchAsync(phone, await PressAsync(phone, model, name));
            Assert.Equal(("failed", "ERR_5004"), (last.GetProperty("status").GetString(), last.GetProperty("error_code").GetString()));
            Assert.Equal(before, await phone.CreditsAsync());
        }
    }

    private static async Task<string> UploadAsync(Phone phone, string bucket, string file, byte[]? bytes = null)
    {
        var name = $"{bucket}/{phone.UserId}/{file}";
        var answer = await UploadTests.SendAsync(phone, HttpMethod.Put, name, bytes ?? Pictures.Jpeg(1280, 720), "image/jpeg");
        Assert.True(answer.Status == HttpStatusCode.OK, answer.Text);
        return name;
    }

    private static async Task<string> RemoveAsync(Phone phone, string name)
    {
        var parts = name.Split('/', 2);
        using var request = new HttpRequestMessage(HttpMethod.Delete, $"/storage/v1/object/{parts[0]}")
        {
            Content = JsonContent.Create(new { prefixes = new[] { parts[1] } }),
        };
        Assert.Equal(HttpStatusCode.OK, (await phone.Http.SendAsync(request)).StatusCode);
        return name;
    }

    private static Task<ApiResponse> PressAsync(Phone phone, string model, string image, string? prompt = null, Guid? key = null) =>
        phone.PostAsync(
            "/generate-video",
            new
            {
                model_id = model,
                prompt = prompt ?? "It begins with a picture",
                image_url = image,
            },
            key ?? Guid.NewGuid()
        );

    private static async Task<JsonElement> WatchAsync(Phone phone, ApiResponse accepted)
    {
        Assert.True(accepted.Status == HttpStatusCode.OK, accepted.Text);
        return (await phone.WatchAsync(accepted["job_id"].GetString()!))[^1];
    }

    private async Task<JsonElement> InputAsync(ApiResponse accepted) =>
        await Eventually.IsAsync(() => FindInputAsync(accepted), input => input.ValueKind == JsonValueKind.Object);

    private async Task<JsonElement> FindInputAsync(ApiResponse accepted)
    {
        var id = await system.RowsAsync($"select provider_job_id from video_jobs where job_id = '{accepted["job_id"]}' and provider_job_id is not null");
        var requests = (await system.Control.GetFromJsonAsync<JsonElement>("/_control/fal/requests")).GetProperty("requests").EnumerateArray();
        return requests.FirstOrDefault(request => id.Contains(request.GetProperty("request_id").GetString()!)) is { ValueKind: JsonValueKind.Object } found
            ? found.GetProperty("input")
            : default;
    }
}
