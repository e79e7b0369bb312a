using Microsoft.Extensions.Options;
using Reelbase.Server.Integrations.Apple.Apns;
using Reelbase.Server.Integrations.Apple.AppAttest;
using Reelbase.Server.Integrations.Apple.AppStore;
using Reelbase.Server.Integrations.Apple.DeviceCheck;
using Reelbase.Server.Integrations.Apple.SignIn;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Modules;

namespace Reelbase.Server.Integrations.Apple;

/// <summary>Apple: DeviceCheck, App Attest, the App Store, Sign in with Apple and APNs.</summary>
public sealed class AppleModule : IModule
{
    /// <inheritdoc/>
    public void AddOptions(OptionsRegistry options)
    {
        options.Add<DeviceCheckOptions>("DeviceCheck");
        options.Add<AppAttestOptions>("AppAttest");
        options.Add<AppStoreOptions>("AppStore");
        options.Add<AppleSignInOptions>("AppleSignIn");
        options.Add<ApnsOptions>("Apns");
    }

    /// <inheritdoc/>
    public void AddServices(IServiceCollection services, ModuleContext context)
    {
        services.AddOutsideClient(DeviceCheckClient.ClientName, "device_check", OutsideClients.MaxAnswerBytes);
        services.AddOutsideClient(AppStoreClient.ClientName, "app_store", OutsideClients.MaxAnswerBytes);
        services.AddOutsideClient(AppleTokens.ClientName, "apple_sign_in", OutsideClients.MaxAnswerBytes);
        services.AddSingleton<DeviceCheckClient>();
        services.AddSingleton(provider => new AppAttestVerifier(provider.GetRequiredService<IOptions<AppAttestOptions>>().Value.Trust(context.IsProduction)));
        services.AddSingleton<SignedData>();
        services.AddSingleton<AppStoreClient>();
        services.AddSingleton<AppleTokens>();
        services.AddSingleton<AppleSignInClient>();
        services.AddSingleton<ApnsClient>();
    }

    /// <inheritdoc/>
    public void CheckAtStart(IServiceProvider services, ModuleContext context)
    {
        // Missing keys are said at start and not at the first request.
        services.GetRequiredService<SignedData>();
        services.GetRequiredService<AppAttestVerifier>();
    }
}
